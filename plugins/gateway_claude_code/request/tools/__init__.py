"""The client's tools and their calls: names, ids, arguments. Pure."""
