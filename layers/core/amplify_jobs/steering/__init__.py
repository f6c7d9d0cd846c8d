"""What the API does for people and programs: answers questions about jobs, starts, stops, retries and replays them."""
