"""The CLI's login: asked for, waited for, and put into words. Never the credentials."""
