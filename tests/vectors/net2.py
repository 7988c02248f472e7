"""Reference losses of net2 in double precision, ten epochs of Nesterov.

Writes net2.tsv: rule, epoch, train loss, valid loss.  Data, weights and the
update are those of net1.py; convolution (correlation, as PyTorch has it) and
pooling are worked out here with numpy's float64.

    python3 net2.py > net2.tsv
"""
import numpy as np

from net1 import SIDE, TARGETS, data, glorot, update

ROWS, BATCH, EPOCHS = 160, 48, 10
CONVS = [(32, 1, 3), (64, 32, 2), (128, 64, 2)]


def windows(x, k):
    """(n, c, h, w) to (n, h - k + 1, w - k + 1, c k k)."""
    v = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))
    v = v.transpose(0, 2, 3, 1, 4, 5)
    return v.reshape(*v.shape[:3], -1)


def conv(x, w, b):
    k = w.shape[2]
    y = windows(x, k) @ w.reshape(len(w), -1).T + b
    return y.transpose(0, 3, 1, 2)


def conv_back(x, w, dy):
    k = w.shape[2]
    d = dy.transpose(0, 2, 3, 1)
    dw = np.tensordot(d, windows(x, k), ([0, 1, 2], [0, 1, 2])).reshape(w.shape)
    dx = np.zeros_like(x)
    for a in range(k):
        for b in range(k):
            part = d @ w[:, :, a, b]
            h, v = dy.shape[2:]
            dx[:, :, a:a + h, b:b + v] += part.transpose(0, 3, 1, 2)
    return dw, d.sum((0, 1, 2)), dx


def pool(x):
    """2 x 2; also which of the four is the largest, the first of equals."""
    n, c, h, w = x.shape
    x = x[:, :, :h // 2 * 2, :w // 2 * 2]
    v = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    v = v.reshape(n, c, h // 2, w // 2, 4)
    which = v.argmax(-1)
    return np.take_along_axis(v, which[..., None], -1)[..., 0], which


def pool_back(dy, which, shape):
    n, c, h, w = shape
    v = np.zeros((*dy.shape, 4))
    np.put_along_axis(v, which[..., None], dy[..., None], -1)
    v = v.reshape(n, c, h // 2, w // 2, 2, 2).transpose(0, 1, 2, 4, 3, 5)
    dx = np.zeros(shape)
    dx[:, :, :h // 2 * 2, :w // 2 * 2] = v.reshape(n, c, h // 2 * 2, w // 2 * 2)
    return dx


def start():
    w = []
    for layer, (out, into, k) in zip((0, 2, 4), CONVS):
        w += [glorot(layer, out, into, k, k), np.zeros(out)]
    for layer, (out, into) in zip((6, 7, 8), ((500, 15488), (500, 500), (TARGETS, 500))):
        w += [glorot(layer, out, into), np.zeros(out)]
    return w


def loss(w, x, t, train):
    """The masked loss and, in training, the gradients."""
    acts, pools = [x.reshape(-1, 1, SIDE, SIDE)], []
    for i in range(3):
        y = np.maximum(conv(acts[-1], w[2 * i], w[2 * i + 1]), 0)
        p, which = pool(y)
        pools.append((y, which))
        acts.append(p)
    flat = [acts[3].reshape(len(x), -1)]
    for i in range(3, 6):
        y = flat[-1] @ w[2 * i].T + w[2 * i + 1]
        flat.append(np.maximum(y, 0) if i < 5 else y)
    e = np.where(np.isnan(t), 0, flat[3] - t)
    present = np.sum(~np.isnan(t))
    value = np.sum(e * e) / present
    if not train:
        return value, None
    g = [None] * 12
    d = 2 * e / present
    for i in (5, 4, 3):
        g[2 * i], g[2 * i + 1] = d.T @ flat[i - 3], d.sum(0)
        d = d @ w[2 * i]
        if i > 3:
            d *= flat[i - 3] > 0
    d = d.reshape(acts[3].shape)
    for i in (2, 1, 0):
        y, which = pools[i]
        d = pool_back(d, which, y.shape) * (y > 0)
        g[2 * i], g[2 * i + 1], d = conv_back(acts[i], w[2 * i], d)
    return value, g


def main():
    x, t, n_valid = data(ROWS)
    w = start()
    state = [[np.zeros_like(v), np.zeros_like(v)] for v in w]
    for epoch in range(1, EPOCHS + 1):
        train, valid = [], []
        for at in range(n_valid, ROWS, BATCH):
            value, g = loss(w, x[at:at + BATCH], t[at:at + BATCH], True)
            train.append(value)
            for i in range(12):
                update("nesterov", 0.01, w[i], g[i], state[i], epoch)
        for at in range(0, n_valid, BATCH):
            end = min(at + BATCH, n_valid)
            valid.append(loss(w, x[at:end], t[at:end], False)[0])
        print("nesterov\t%d\t%.9g\t%.9g" % (epoch, np.mean(train), np.mean(valid)),
              flush=True)


if __name__ == "__main__":
    main()
