"""functions-framework as it is deployed, except that its workers end when it does, however that is:
`python -m infra.cloud_local.function` with its arguments.
"""

import os

from functions_framework._cli import _cli

from infra.children import die_with_parent

if __name__ == "__main__":
    os.register_at_fork(after_in_child=die_with_parent)
    _cli()
