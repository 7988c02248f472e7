# Settings, to be changed here or on make's command line.

PREFIX = /usr/local
CC = cc
CFLAGS = -O2 -g
LDFLAGS =

# Runs commands that install packages.
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# Open MPI's compiler, for `make mpi`.
MPICC = mpicc

# The CUDA toolkit, and the GPU architectures that `make cuda` builds for, as far as
# its compiler supports them; later GPUs compile the first one's PTX when they load it.
CUDA = /usr/local/cuda
CUDA_ARCHS = 75 80 86 90 100 120

# NCCL, for `make nccl`: where its include and lib are, which may be /usr.
NCCL = $(CUDA)

# The Python that the tests use as an independent reader of the files.
PYTHON = /usr/bin/python3
