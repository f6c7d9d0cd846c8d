"""The index of requests, jobs and deliveries: what is stored of them, and what the API answers about them."""
