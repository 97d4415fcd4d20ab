"""What the kind `httpx` sends with: apart, since httpx is slow to import and few runs need it."""
