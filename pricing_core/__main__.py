"""``python -m pricing_core …``."""

from pricing_core.cli import main

raise SystemExit(main())
