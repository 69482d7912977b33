#!/bin/sh
# JAX 0.10.2 on the CPU: what the gradient of |x| is at 0, and that of hypot at the origin.
#
# Expected: 0 for |x| (sign(0); TensorFlow and PyTorch give it), and 0 or NaN for hypot (a / y of 0 / 0).
# Seen:     1 for |x| at 0 and at -0.0, 1 for its forward mode too, though jnp.sign(0) is 0; 0.5 for hypot along
#           its first argument where the other is a constant 0, [0.5, 0.5] along both, at the origin, where the
#           function has no derivative. The gradient of jnp.linalg.norm there is NaN.
#
# Installs jax into a temporary folder. Fails where any of these values is another.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2
"$folder/venv/bin/python" - <<'PYTHON'
import jax
import jax.numpy as jnp

seen = {
    "abs at 0": float(jax.grad(jnp.abs)(0.0)),
    "abs at -0": float(jax.grad(jnp.abs)(-0.0)),
    "abs forward": float(jax.jvp(jnp.abs, (0.0,), (1.0,))[1]),
    "sign at 0": float(jnp.sign(0.0)),
    "hypot, one": float(jax.grad(lambda x: jnp.hypot(x, 0.0))(0.0)),
    "hypot, both": [float(g) for g in jax.grad(jnp.hypot, (0, 1))(0.0, 0.0)],
    "norm": str(float(jax.grad(jnp.linalg.norm)(jnp.zeros(2))[0])),
}
print(jax.__version__, seen)
assert seen == {
    "abs at 0": 1.0,
    "abs at -0": 1.0,
    "abs forward": 1.0,
    "sign at 0": 0.0,
    "hypot, one": 0.5,
    "hypot, both": [0.5, 0.5],
    "norm": "nan",
}
PYTHON
