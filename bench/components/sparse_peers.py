"""SciPy's and PyTorch's times for the products of sparse.c, one thread: the least of many calls, in ms."""
import time

import numpy as np
import scipy.sparse
import torch

torch.set_num_threads(1)
random = np.random.default_rng(1)
SIZE, COUNT = 100000, 1000000
cells = np.unique(random.integers(0, SIZE * SIZE, COUNT))
values = random.normal(size=len(cells)).astype("float32")
matrix = scipy.sparse.csr_matrix((values, (cells // SIZE, cells % SIZE)), shape=(SIZE, SIZE))
x = random.normal(size=(SIZE, 64)).astype("float32")


def least(name, call):
    times = []
    for _ in range(15):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    print(f"{name:<40} {1e3 * min(times):9.3f} ms", flush=True)


csr = torch.sparse_csr_tensor(*map(torch.tensor, (matrix.indptr, matrix.indices, matrix.data)), (SIZE, SIZE))
dense = torch.tensor(x)
least("scipy product", lambda: matrix @ x)
least("scipy product, transposed", lambda: matrix.T @ x)
least("torch product, CSR", lambda: csr @ dense)
coo = torch.sparse_coo_tensor(np.stack([cells // SIZE, cells % SIZE]), torch.tensor(values), (SIZE, SIZE)).coalesce()
least("torch product, COO", lambda: torch.sparse.mm(coo, dense))
learnt = dense.clone().requires_grad_()
least("torch product and gradient to the dense", lambda: torch.sparse.mm(coo, learnt).backward(dense))
