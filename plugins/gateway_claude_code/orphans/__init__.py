"""No CLI process outlives the gateway, however that ends."""
