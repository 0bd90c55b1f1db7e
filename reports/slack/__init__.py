"""Slack's Web API: what people and scripts do there, each call with the scopes it needs."""
