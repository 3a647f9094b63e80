"""Forward pieces of the networks, on batches. Images are NCHW, kernels OIHW, dense weights [in, out]."""

import jax
import jax.numpy as jnp
from jax import lax

BATCH_NORM_EPSILON = 1e-5


def dense(p, x):
    return x @ p["w"] + p["b"]


def conv(p, x, stride=1, pads=(1, 1, 1, 1)):
    """`pads` in the order of ONNX: top, left, bottom, right."""
    top, left, bottom, right = pads
    y = lax.conv_general_dilated(x, p["w"], (stride, stride), [(top, bottom), (left, right)])
    return y + p["b"][None, :, None, None] if "b" in p else y


def batch_norm(p, x, stats=None):
    """Normalises with `stats` = (mean, variance), or with those of the batch. Returns the output and the pair used."""
    mean, variance = stats if stats is not None else (x.mean((0, 2, 3)), x.var((0, 2, 3)))
    scale = p["scale"] / jnp.sqrt(variance + BATCH_NORM_EPSILON)
    centred = x - mean[None, :, None, None]
    return centred * scale[None, :, None, None] + p["shift"][None, :, None, None], (mean, variance)


def max_pool(x, size=2):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, size, size), (1, 1, size, size), "VALID")


def average_pool(x, size=2):
    return lax.reduce_window(x, 0.0, lax.add, (1, 1, size, size), (1, 1, size, size), "VALID") / size**2


def dense_init(key, inputs, outputs):
    return {"w": jax.random.normal(key, (inputs, outputs)) * jnp.sqrt(2.0 / inputs), "b": jnp.zeros(outputs)}


def conv_init(key, inputs, outputs, size=3, bias=True):
    w = jax.random.normal(key, (outputs, inputs, size, size)) * jnp.sqrt(2.0 / (inputs * size * size))
    return {"w": w, "b": jnp.zeros(outputs)} if bias else {"w": w}


def batch_norm_init(channels):
    return {"scale": jnp.ones(channels), "shift": jnp.zeros(channels)}
