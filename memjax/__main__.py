"""``python -m memjax``."""

from memjax.cli import main

main()
