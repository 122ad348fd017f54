"""Score the open items of a source with the champion."""
