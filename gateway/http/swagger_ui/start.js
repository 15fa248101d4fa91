// Beside the page at /docs, so that its policy can forbid scripts within pages.
window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null, // otherwise a service on the internet is asked about the document
});
