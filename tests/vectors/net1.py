"""Reference losses of net1 in double precision, for every update rule.

Writes net1.tsv: rule, epoch, train loss, valid loss.  Everything is worked
out here again from its definition, in numpy's float64: the images, the Philox
generator and the initial weights that it gives, the batches, the masked loss,
the gradients and the update rules (lasagne/updates.py; adamw as PyTorch's AdamW).

    python3 net1.py > net1.tsv
"""
import numpy as np

SIDE, TARGETS, SEED = 96, 30, 42
ROWS, BATCH, EPOCHS = 700, 128, 20
RATES = {"sgd": 0.01, "momentum": 0.01, "nesterov": 0.01, "adagrad": 2e-4,
         "rmsprop": 3e-5, "adadelta": 1.0, "adam": 5e-5, "adamw": 5e-5,
         "adamax": 1e-4}
DECAYS = {"adamw": 100.0}


def images(rows):
    """A bright spot somewhere on a ramp: bytes, from whole numbers alone."""
    i = np.arange(rows)
    x, y = 20 + i * 37 % 57, 20 + i * 53 % 59
    rr, cc = np.mgrid[0:SIDE, 0:SIDE]
    d = (cc - x[:, None, None]) ** 2 + (rr - y[:, None, None]) ** 2
    ramp = (rr * (i % 5)[:, None, None] + cc) // 4
    return np.maximum(ramp, 255 - d).reshape(rows, -1), x, y


def targets(x, y):
    """Places around the spot, 48 being 0; some values are missing."""
    t = np.empty((len(x), TARGETS))
    for j in range(TARGETS):
        t[:, j] = ((x if j % 2 == 0 else y) + j % 7 - 48) / 48
        t[(np.arange(len(x)) * 7 + j * 11) % 10 == 0, j] = np.nan
    return t.astype(np.float32).astype(float)


def philox(counter, key):
    """Philox-4x32-10 on arrays of four counter words."""
    c = [np.asarray(v, np.uint64) for v in counter]
    k = list(key)
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k[0]), p1 & low,
             (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k[1]), p0 & low]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(c, axis=-1)


def glorot(layer, *shape):
    """Weights (out, in, ...) of purpose 0, as float32 values."""
    n = int(np.prod(shape))
    block = np.arange((n + 3) // 4, dtype=np.uint64)
    zero = np.zeros_like(block)
    u = philox([block, zero, zero, zero + np.uint64(layer)], [SEED, 0])
    u = u.reshape(-1)[:n].astype(float) / 2 ** 32
    fans = (shape[0] + shape[1]) * np.prod(shape[2:])
    a = float(np.float32(np.sqrt(6 / fans)))
    return (a * (2 * u - 1)).astype(np.float32).astype(float).reshape(shape)


def forward(w, x):
    h = np.maximum(x @ w[0].T + w[1], 0)
    return h, h @ w[2].T + w[3]


def loss_and_gradients(w, x, t):
    h, p = forward(w, x)
    e = np.where(np.isnan(t), 0, p - t)
    present = np.sum(~np.isnan(t))
    dp = 2 * e / present
    dh = (dp @ w[2]) * (h > 0)
    return np.sum(e * e) / present, [dh.T @ x, dh.sum(0), dp.T @ h, dp.sum(0)]


def update(rule, rate, decay, w, g, s, step):
    """One parameter; s holds its two states."""
    if rule == "adamw":
        w *= 1 - rate * decay
    else:
        g = g + decay * w
    mu, rho, b1, b2 = 0.9, 0.9, 0.9, 0.999
    if rule == "sgd":
        w -= rate * g
    elif rule == "momentum":
        s[0] = mu * s[0] - rate * g
        w += s[0]
    elif rule == "nesterov":
        s[0] = mu * s[0] - rate * g
        w += mu * s[0] - rate * g
    elif rule == "adagrad":
        s[0] += g * g
        w -= rate * g / np.sqrt(s[0] + 1e-6)
    elif rule == "rmsprop":
        s[0] = rho * s[0] + (1 - rho) * g * g
        w -= rate * g / np.sqrt(s[0] + 1e-6)
    elif rule == "adadelta":
        rho = 0.95
        s[0] = rho * s[0] + (1 - rho) * g * g
        u = g * np.sqrt(s[1] + 1e-6) / np.sqrt(s[0] + 1e-6)
        w -= rate * u
        s[1] = rho * s[1] + (1 - rho) * u * u
    elif rule in ("adam", "adamw"):
        s[0] = b1 * s[0] + (1 - b1) * g
        s[1] = b2 * s[1] + (1 - b2) * g * g
        eta = rate * np.sqrt(1 - b2 ** step) / (1 - b1 ** step)
        w -= eta * s[0] / (np.sqrt(s[1]) + 1e-8)
    elif rule == "adamax":
        s[0] = b1 * s[0] + (1 - b1) * g
        s[1] = np.maximum(b2 * s[1], np.abs(g))
        w -= rate / (1 - b1 ** step) * s[0] / (s[1] + 1e-8)


def data(rows):
    """Images and targets in the order of training; the first fifth validates."""
    pixels, cx, cy = images(rows)
    order = np.arange(rows)
    np.random.RandomState(SEED).shuffle(order)
    x = (pixels[order] / 255).astype(np.float32).astype(float)
    return x, targets(cx, cy)[order], -(-rows // 5)


def main():
    x, t, n_valid = data(ROWS)
    for rule, rate in RATES.items():
        w = [glorot(0, 100, SIDE * SIDE), np.zeros(100),
             glorot(1, TARGETS, 100), np.zeros(TARGETS)]
        state = [[np.zeros_like(v), np.zeros_like(v)] for v in w]
        step = 0
        for epoch in range(1, EPOCHS + 1):
            train, valid = [], []
            for at in range(n_valid, ROWS, BATCH):
                loss, g = loss_and_gradients(w, x[at:at + BATCH], t[at:at + BATCH])
                train.append(loss)
                step += 1
                for i in range(4):
                    update(rule, rate, DECAYS.get(rule, 0), w[i], g[i], state[i], step)
            for at in range(0, n_valid, BATCH):
                end = min(at + BATCH, n_valid)
                valid.append(loss_and_gradients(w, x[at:end], t[at:end])[0])
            print("%s\t%d\t%.9g\t%.9g" % (rule, epoch, np.mean(train), np.mean(valid)))


if __name__ == "__main__":
    main()
