"""The pages: views, forms, cookies, template context."""
