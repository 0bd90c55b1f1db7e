"""How much mail clients take, in bytes unless it is said: what a mail is made to fit, and what the linter measures."""

CLIP, BODY = 102_000, 90_000
"""Of HTML: where Gmail clips a mail and drops its styles, and where one that may be forwarded should end."""
STYLES = 16_384
"""Of all style elements together, beyond which Gmail drops them."""
PICTURE, PICTURES = 400_000, 1_500_000
"""Of one picture, and of all: a phone loads that in seconds, and most of a small mailbox's 10 MB is left."""
PREHEADER = range(40, 91)
"""Characters that inboxes show beside the subject."""
