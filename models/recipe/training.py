"""Adam, the losses and the attack that the recipes train with. Deterministic for a seed on one machine."""

import os

# One thread, so that sums are always taken in the same order. Read when jax starts.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax
import jax.numpy as jnp
import numpy as np
from jax import tree_util

BETA1, BETA2, ADAM_EPSILON = 0.9, 0.999, 1e-8  # the values of the Adam paper


def fit(loss, params, arrays, *, epochs, batch, rate, seed):
    """Minimises loss(params, rows, key, progress) over minibatches, the rate falling to zero along a half cosine.

    `progress` runs from 0 to 1 over the training; `rows` are the same rows of each of `arrays`.
    """
    step = jax.jit(_adam_step(loss))
    moments = tree_util.tree_map(lambda p: (jnp.zeros_like(p), jnp.zeros_like(p)), params)
    order = np.random.default_rng(seed)
    key = jax.random.key(seed)
    count = len(arrays[0]) // batch
    total = epochs * count
    for t in range(total):
        if t % count == 0:
            permutation = order.permutation(len(arrays[0]))
        chosen = permutation[t % count * batch :][:batch]
        progress = t / total
        rows = tuple(a[chosen] for a in arrays)
        now = rate * 0.5 * (1 + np.cos(np.pi * progress))
        params, moments = step(params, moments, rows, jax.random.fold_in(key, t), progress, now, t + 1)
    return params


def _adam_step(loss):
    def step(params, moments, rows, key, progress, rate, t):
        gradient = jax.grad(loss)(params, rows, key, progress)
        leaves, shape = tree_util.tree_flatten(params)
        pairs = shape.flatten_up_to(moments)
        moved = [_adam(*leaf, rate, t) for leaf in zip(leaves, shape.flatten_up_to(gradient), pairs)]
        return shape.unflatten([p for p, _ in moved]), shape.unflatten([m for _, m in moved])

    return step


def _adam(p, g, moment, rate, t):
    m = BETA1 * moment[0] + (1 - BETA1) * g
    v = BETA2 * moment[1] + (1 - BETA2) * g * g
    direction = (m / (1 - BETA1**t)) / (jnp.sqrt(v / (1 - BETA2**t)) + ADAM_EPSILON)
    return p - rate * direction, (m, v)


def cross_entropy(logits, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1).mean()


def weight_decay(params):
    return sum((p**2).sum() for p in tree_util.tree_leaves(params) if p.ndim > 1)


def pgd(forward, x, labels, key, radius, steps=5, low=0.0, high=1.0):
    """A point within `radius` (L-infinity, clipped to [low, high]) of each row, chosen to raise the loss."""
    slope = jax.grad(lambda z: cross_entropy(forward(z), labels))
    z = x + jax.random.uniform(key, x.shape, minval=-radius, maxval=radius)
    for _ in range(steps):
        z = z + 0.5 * radius * jnp.sign(slope(z))
        z = jnp.clip(jnp.clip(z, x - radius, x + radius), low, high)
    return jax.lax.stop_gradient(z)


def worst_case_logits(layers, x, labels, radius):
    """Interval bounds through dense layers with ReLU between, the input clipped to [0, 1].

    Returns for each class the upper bound of its logit, and for the label the lower bound.
    """
    low, high = jnp.clip(x - radius, 0, 1), jnp.clip(x + radius, 0, 1)
    for index, p in enumerate(layers):
        if index > 0:
            low, high = jax.nn.relu(low), jax.nn.relu(high)
        centre, reach = (low + high) / 2 @ p["w"] + p["b"], (high - low) / 2 @ jnp.abs(p["w"])
        low, high = centre - reach, centre + reach
    own = jax.nn.one_hot(labels, low.shape[1], dtype=bool)
    return jnp.where(own, low, high)
