# SPDX-License-Identifier: MIT
"""Node's fetch, which keeps connections by itself."""

import os

import support

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "client.mjs")
support.client_test(lambda url, _: support.run_json(["node", SCRIPT], url, support.LATER))
