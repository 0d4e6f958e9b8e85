"""Right though different: solutions that must get full marks wherever they are asked for."""

import numpy as np
from scipy.special import expit, logsumexp
from scipy.special import log_softmax as scipy_log_softmax
from scipy.special import softmax as scipy_softmax

# --- Exercise 1 ------------------------------------------------------------------------------


def stage1_loop(y2, t):
    loss = 0
    for probability, target in zip(y2, t, strict=True):
        loss -= target * np.log(probability)
    return loss


def stage2_jacobian(y2, t):
    return -(t / y2) @ (np.diag(y2) - np.outer(y2, y2))


def stage3_column(y2, t, W2):
    return np.asarray(W2.T @ (y2 - t)[:, None])[:, 0]


def stage4_column_times_row(y2, t, y1):
    return np.matmul((y2 - t).reshape(-1, 1), y1.reshape(1, -1))


def stage5_square(y1):
    return np.eye(y1.size) * (y1 - y1**2)


def stage6_matrix(y2, t, W2, y1):
    return np.dot(np.dot(y2 - t, W2), np.diag(y1 * (1 - y1)))


def stage7_loops(dE_dz1, x):
    result = np.empty((len(dE_dz1), len(x)))
    for u in range(len(dE_dz1)):
        for v in range(len(x)):
            result[u, v] = dE_dz1[u] * x[v]
    return result


def stage8_mean_of_products(Y2, T, Y1):
    return np.mean([np.outer(d, y) for d, y in zip((Y2 - T).T, Y1.T, strict=True)], axis=0)


def stage9_own_copy(dE_dW, W, weight_decay):
    result = dE_dW.copy()
    result += weight_decay * W
    return result


def backprop_columns(weights, x, t):
    outputs = [x.reshape(-1, 1)]
    for W in weights[:-1]:
        outputs.append(expit(W @ outputs[-1]))
    delta = scipy_softmax(weights[-1] @ outputs[-1], axis=0) - t.reshape(-1, 1)
    gradients = []
    for W, y in zip(weights[::-1], outputs[::-1], strict=True):
        gradients.append(delta * y.T)
        delta = W.T @ delta * (y - y**2)
    return tuple(gradients[::-1])


# --- Exercise 2 ------------------------------------------------------------------------------


def log_softmax_logsumexp(z2):
    return z2 - logsumexp(z2, axis=0, keepdims=True)


def log_softmax_rows(z2):
    return scipy_log_softmax(z2.T, axis=1).T


def log_softmax_in_place(z2):
    result = z2.copy()
    result -= np.amax(result, axis=0)
    result -= np.log(np.sum(np.exp(result), axis=0))
    return result


def log_softmax_cases(z2):
    columns = [z - z.max() - np.log(np.sum(np.exp(z - z.max()))) for z in z2.T]
    return np.array(columns).T


def forward_list(W1, W2, x):
    y1 = expit(np.dot(W1, x))
    return [y1, scipy_log_softmax(np.dot(W2, y1), axis=0)]


def forward_einsum(W1, W2, x):
    y1 = 0.5 * (1 + np.tanh(np.einsum("ij,jm->im", W1, x) / 2))
    return y1, log_softmax_logsumexp(np.einsum("ki,im->km", W2, y1))


def loss_einsum(W1, W2, x, t, weight_decay):
    _, log_y2 = forward_einsum(W1, W2, x)
    decay = weight_decay * 0.5 * (np.einsum("ij,ij", W1, W1) + np.einsum("ij,ij", W2, W2))
    return -np.einsum("km,km", t, log_y2) / t.shape[1] + decay


def loss_cases(W1, W2, x, t, weight_decay):
    losses = []
    for case in range(x.shape[1]):
        _, log_y2 = forward_list(W1, W2, x[:, [case]])
        losses.append(-t[:, case] @ log_y2[:, 0])
    weights = np.concatenate([W1.ravel(), W2.ravel()])
    return np.mean(losses) + weight_decay / 2 * weights @ weights


def gradient_cases(W1, W2, x, t, weight_decay):
    dW1, dW2 = np.zeros_like(W1), np.zeros_like(W2)
    cases = x.shape[1]
    for x_case, t_case in zip(x.T, t.T, strict=True):
        y1 = expit(W1 @ x_case)
        error = scipy_softmax(W2 @ y1) - t_case
        dW2 += np.outer(error, y1)
        dW1 += np.outer(error @ W2 @ np.diag(y1 * (1 - y1)), x_case)
    return dW1 / cases + weight_decay * W1, dW2 / cases + weight_decay * W2


def gradient_einsum(W1, W2, x, t, weight_decay):
    y1, log_y2 = forward_einsum(W1, W2, x)
    error = np.exp(log_y2) - t
    dW1 = np.einsum("km,ki,im,jm->ij", error, W2, y1 - y1**2, x, optimize=True)
    dW2 = np.einsum("km,im->ki", error, y1)
    return [part / x.shape[1] + weight_decay * W for part, W in ((dW1, W1), (dW2, W2))]


def gradient_dot(W1, W2, x, t, weight_decay):
    y1 = expit(np.dot(W1, x))
    error = np.subtract(scipy_softmax(np.dot(W2, y1), axis=0), t)
    error /= t.shape[1]
    dW1 = np.dot(np.multiply(np.dot(W2.T, error), y1 - np.square(y1)), x.T)
    dW1 += weight_decay * W1
    return dW1, np.dot(error, np.transpose(y1)) + np.multiply(weight_decay, W2)


def gradient_rows(W1, W2, x, t, weight_decay):
    """Work with cases in rows, and turn the result."""
    y1 = expit(x.T @ W1.T)
    error = (scipy_softmax(y1 @ W2.T, axis=1) - t.T) / len(x.T)
    dW1 = x @ (error @ W2 * y1 * (1 - y1))
    dW2 = y1.T @ error
    return dW1.T + weight_decay * W1, np.asfortranarray(dW2.T + weight_decay * W2)


def gradient_subclass(W1, W2, x, t, weight_decay):
    dW1, dW2 = gradient_dot(W1, W2, x, t, weight_decay)
    return dW1.view(np.matrix), dW2.view(np.ma.MaskedArray)


def error_rate_count(W1, W2, x, t):
    wrong = 0
    for case in range(x.shape[1]):
        y1, log_y2 = forward_list(W1, W2, x[:, case : case + 1])
        wrong += int(np.argmax(log_y2) != np.argmax(t[:, case]))
    return wrong / x.shape[1]


def error_rate_logits(W1, W2, x, t):
    right = np.argmax(W2 @ expit(W1 @ x), axis=0) == np.argmax(t, axis=0)
    return 1 - np.mean(right)


def confusion_product(W1, W2, x, t):
    logits = W2 @ expit(W1 @ x)
    predicted = np.eye(len(t))[:, logits.argmax(axis=0)]
    return np.eye(len(t))[:, t.argmax(axis=0)] @ predicted.T


def confusion_loop(W1, W2, x, t):
    counts = np.zeros((len(t), len(t)), dtype=np.int32)
    for true, named in zip(t.argmax(axis=0), (W2 @ expit(W1 @ x)).argmax(axis=0), strict=True):
        counts[true, named] += 1
    return counts


# --- Exercise 3 ------------------------------------------------------------------------------


def batch_modulo(iteration, batch_size, n_cases):
    return np.array([(iteration * batch_size + k) % n_cases for k in range(batch_size)])


def batch_take(iteration, batch_size, n_cases):
    begin = iteration * batch_size
    return np.take(np.arange(n_cases), np.arange(begin, begin + batch_size), mode="wrap")


def batch_tiled(iteration, batch_size, n_cases):
    cases = np.tile(np.arange(n_cases), iteration * batch_size // n_cases + 2)
    return cases[iteration * batch_size : (iteration + 1) * batch_size]


def step_in_place(w, v, gradient, learning_rate, momentum):
    w, v = w.copy(), v.copy()
    v *= momentum
    v -= gradient
    w += learning_rate * v
    return [w, v]


def step_stacked(w, v, gradient, learning_rate, momentum):
    v = np.multiply(momentum, v) + np.negative(gradient)
    return np.stack([np.add(w, v * learning_rate), v])


def train_rate_in_velocity(
    weights, loss, gradient, training, validation, iterations, rate, momentum, size, stop
):
    """Keep the learning rate in the velocity; the same at a constant rate."""
    inputs, targets = training
    weights = [np.array(w) for w in weights]
    velocities = [0.0 for _ in weights]
    history = {"training_loss": [], "validation_loss": []}
    best = None
    for i in range(iterations):
        columns = batch_modulo(i, size, inputs.shape[1])
        for k, g in enumerate(gradient(weights, inputs[:, columns], targets[:, columns])):
            velocities[k] = momentum * velocities[k] - rate * g
        weights = [w + v for w, v in zip(weights, velocities, strict=True)]
        history["training_loss"].append(loss(weights, *training))
        history["validation_loss"].append(loss(weights, *validation))
        if best is None or history["validation_loss"][-1] < best[0]:
            best = history["validation_loss"][-1], weights
    return (best[1] if stop else weights), history


def train_whole_path(
    weights, loss, gradient, training, validation, iterations, rate, momentum, size, stop
):
    """Remember all weights and choose at the end; losses as arrays."""
    path, velocities = [tuple(weights)], [np.zeros(w.shape) for w in weights]
    order = np.arange(iterations * size) % training[1].shape[1]
    for columns in np.split(order, iterations):
        steps = gradient(list(path[-1]), *(part[:, columns] for part in training))
        velocities = [momentum * v - g for v, g in zip(velocities, steps, strict=True)]
        path.append(tuple(w + rate * v for w, v in zip(path[-1], velocities, strict=True)))
    losses = [np.array([loss(w, *part) for w in path[1:]]) for part in (training, validation)]
    chosen = 1 + np.argmin(losses[1]) if stop else -1
    return path[chosen], {"training_loss": losses[0], "validation_loss": losses[1]}


def train_opposite_velocity(
    weights, loss, gradient, training, validation, iterations, rate, momentum, size, stop
):
    """Sum up gradients and go against the sum, in place on own copies."""
    weights = [w.copy() for w in weights]
    sums = [np.zeros_like(w) for w in weights]
    history = {"validation_loss": [], "training_loss": []}
    lowest, kept = np.inf, weights
    for i in range(iterations):
        columns = batch_take(i, size, training[0].shape[1])
        for w, s, g in zip(
            weights,
            sums,
            gradient(weights, training[0][:, columns], training[1][:, columns]),
            strict=True,
        ):
            s *= momentum
            s += g
            w -= rate * s
        history["training_loss"].append(float(loss(weights, *training)))
        history["validation_loss"].append(float(loss(weights, *validation)))
        if stop and history["validation_loss"][-1] < lowest:
            lowest, kept = history["validation_loss"][-1], [w.copy() for w in weights]
    return kept, history


RIGHT = (
    ("stage 1 in a loop", "stage1", stage1_loop),
    ("stage 2 by the Jacobian of the softmax", "stage2", stage2_jacobian),
    ("stage 3 with columns", "stage3", stage3_column),
    ("stage 4 as column times row", "stage4", stage4_column_times_row),
    ("stage 5 with y - y**2", "stage5", stage5_square),
    ("stage 6 with the matrix of stage 5", "stage6", stage6_matrix),
    ("stage 7 in loops", "stage7", stage7_loops),
    ("stage 8 as mean of products", "stage8", stage8_mean_of_products),
    ("stage 9 in place on a copy", "stage9", stage9_own_copy),
    ("recursion with columns", "backprop", backprop_columns),
    ("log-softmax by logsumexp", "log_softmax", log_softmax_logsumexp),
    ("log-softmax by SciPy, cases in rows", "log_softmax", log_softmax_rows),
    ("log-softmax in place on a copy", "log_softmax", log_softmax_in_place),
    ("log-softmax case by case", "log_softmax", log_softmax_cases),
    ("forward pass as a list", "forward", forward_list),
    ("forward pass by einsum and tanh", "forward", forward_einsum),
    ("loss by einsum", "loss", loss_einsum),
    ("loss case by case", "loss", loss_cases),
    ("gradient case by case, explicit diag", "gradient", gradient_cases),
    ("gradient by einsum, as a list", "gradient", gradient_einsum),
    ("gradient by np.dot, y - y**2", "gradient", gradient_dot),
    ("gradient with cases in rows, Fortran order", "gradient", gradient_rows),
    ("gradient as matrix and masked array", "gradient", gradient_subclass),
    ("error rate by counting", "error_rate", error_rate_count),
    ("error rate from logits", "error_rate", error_rate_logits),
    ("confusion matrix as a product", "confusion_matrix", confusion_product),
    ("confusion matrix by counting", "confusion_matrix", confusion_loop),
    ("batch by a list of remainders", "batch_columns", batch_modulo),
    ("batch by np.take", "batch_columns", batch_take),
    ("batch from repeated cases", "batch_columns", batch_tiled),
    ("momentum in place on copies", "momentum_step", step_in_place),
    ("momentum as one stacked array", "momentum_step", step_stacked),
    ("loop with the learning rate in the velocity", "train", train_rate_in_velocity),
    ("loop that remembers all weights", "train", train_whole_path),
    ("loop with sums of gradients, in place", "train", train_opposite_velocity),
)
"""Name, the function that it stands in for, and the function."""
