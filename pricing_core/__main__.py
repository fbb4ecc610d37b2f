"""``python -m pricing_core …``."""

import gc

from pricing_core.cli import main

code = main()
gc.freeze()  # everything goes with the process; looking through all modules for cycles first would only take time
raise SystemExit(code)
