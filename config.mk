# What a user may set, here or on make's command line.

PREFIX = /usr/local
CC = cc
CFLAGS = -O2 -g
LDFLAGS =

# Runs commands that install packages.
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# The Python that the tests use as another reader of the files.
PYTHON = /usr/bin/python3
