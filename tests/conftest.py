"""Settings for every test: few threads, since several test processes share the cores."""

from __future__ import annotations

import os

# Before LightGBM and TensorFlow are imported by anything.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
