"""Telling people about long work, from anyone's script: the outbox carries it, whatever the network does."""
