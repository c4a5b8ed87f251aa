# SPDX-License-Identifier: MIT
"""Reports of measured allocators as one self-contained HTML page. Knows neither scripts/bench nor ab."""
