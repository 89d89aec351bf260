"""What is looked at before a long run, each check a pure function of what it looks at; and the page that tells it."""
