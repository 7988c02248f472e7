# What a user may set, here or on make's command line.

PREFIX = /usr/local
CC = cc
CFLAGS = -O2 -g
LDFLAGS =

# Runs commands that install packages.
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# The CUDA toolkit, and the GPUs that `make cuda` builds for, as far as its
# compiler knows them; others from the first on translate its PTX.
CUDA = /usr/local/cuda
CUDA_ARCHS = 75 80 86 90 100 120

# The Python that the tests use as another reader of the files.
PYTHON = /usr/bin/python3
