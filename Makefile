# kfkd: build, test, install.  Settings are in config.mk.
#
#   make          the programs and the CPU backend, under build/
#   make demo     set-up, build, and the complete pipeline on drawn faces
#   make check    set-up, build, and all tests
#   make fuzz     feeds damaged input to all that reads any, under the sanitizers
#   make mpi      the engine for several processes as well, by Open MPI
#   make cuda     the CUDA backend as well, with the toolkit named in config.mk
#   make nccl     the engine for several GPUs as well, with the NCCL named there
#   make bench    speed on this machine, compared with other software
#   make install  to PREFIX (and DESTDIR); make uninstall takes it away again
#   make deb      Debian packages, in build/deb; make check-deb tries them

include config.mk

BUILD = build
BIN = $(BUILD)/bin
PLUGINS = $(BUILD)/lib/kfkd

KF_CFLAGS = -std=c11 -Wall -Wextra -Wswitch-enum -Wcast-qual -pedantic -Werror -fPIC \
	-Ilib -MMD -MP $(CFLAGS)
LIBS = -lcsv -lnetpbm -ljpeg -lpng -lexif -ljansson -lexpat -lxxhash -ldl -lm -pthread

PROGRAMS = $(patsubst cmd/%.c,$(BIN)/%,$(wildcard cmd/kfkd-*.c))
# lib/cpu, lib/mpi and lib/nccl are plugins; the rest of lib is the library.
LIB_OBJECTS = $(patsubst lib/%.c,$(BUILD)/lib/%.o,\
	$(filter-out lib/cpu/%.c lib/mpi/%.c lib/nccl/%.c,$(wildcard lib/*/*.c)))
TESTS = $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))
TOOLS = $(patsubst tests/%.c,$(BUILD)/tests/%,\
	$(filter-out tests/test_%.c tests/faults.c,$(wildcard tests/*.c))) \
	$(BUILD)/tests/faults.so
EXAMPLES = $(patsubst examples/%.c,$(BUILD)/examples/%,$(wildcard examples/*.c))

COMPLETION = $(patsubst completion/%,$(BUILD)/completion/%,$(wildcard completion/kfkd.*))

all: $(PROGRAMS) $(PLUGINS)/backend_cpu.so $(EXAMPLES) $(COMPLETION)

cuda:
	@[ -x $(NVCC) ] || { echo "$(NVCC): not found; set CUDA to the directory of a CUDA toolkit" >&2; \
		exit 1; }
	@$(MAKE) --no-print-directory all $(PLUGINS)/backend_cuda.so

mpi: deps-mpi
	@$(MAKE) --no-print-directory all $(PLUGINS)/comm_mpi.so

nccl:
	@[ -f $(NCCL)/include/nccl.h ] || { echo "$(NCCL)/include/nccl.h: not found; set NCCL to the directory with NCCL's include and lib" >&2; \
		exit 1; }
	@$(MAKE) --no-print-directory mpi $(PLUGINS)/comm_nccl.so

# -- building -------------------------------------------------------------------

# Changes when the compiler or a flag changes; every object depends on it.
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD)
	@echo '$(CC) $(KF_CFLAGS) $(LDFLAGS)' | cmp -s - $@ || \
		echo '$(CC) $(KF_CFLAGS) $(LDFLAGS)' > $@

$(BUILD)/lib/%.o: lib/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(KF_CFLAGS) -c -o $@ $<

$(BUILD)/cmd/%.o: cmd/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(KF_CFLAGS) -c -o $@ $<

$(BUILD)/lib/libkfkd.a: $(LIB_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

# Loops that are to be vectorized.
$(BUILD)/lib/photo/crop.o: private KF_CFLAGS += -O3

# What programs share; each takes from it what it needs.
$(BUILD)/cmd/shared.a: $(patsubst cmd/%.c,$(BUILD)/cmd/%.o,\
		$(filter-out cmd/kfkd-%.c,$(wildcard cmd/*.c)))
	@rm -f $@
	$(AR) rcs $@ $^

$(BIN)/%: $(BUILD)/cmd/%.o $(BUILD)/cmd/shared.a $(BUILD)/lib/libkfkd.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -Wl,--as-needed $(LIBS)

# The only objects that know oneDNN and OpenMP.
CPU_OBJECTS = $(patsubst lib/%.c,$(BUILD)/lib/%.o,$(wildcard lib/cpu/*.c))
$(CPU_OBJECTS): private KF_CFLAGS += -O3 -fopenmp -fno-math-errno -fvisibility=hidden

$(PLUGINS)/backend_cpu.so: $(CPU_OBJECTS) $(BUILD)/lib/libkfkd.a
	@mkdir -p $(@D)
	$(CC) -fopenmp -shared -Wl,-z,defs $(LDFLAGS) -o $@ $^ -ldnnl -lm

# The engine that joins processes by MPI.
MPI_OBJECTS = $(patsubst lib/%.c,$(BUILD)/lib/%.o,$(wildcard lib/mpi/*.c))
MPI_OF = $(shell $(MPICC) --showme:$(1) | sed 's/-I/-isystem /g')
$(MPI_OBJECTS): private KF_CFLAGS += -O3 -fvisibility=hidden $(call MPI_OF,compile)

$(PLUGINS)/comm_mpi.so: $(MPI_OBJECTS) $(BUILD)/lib/libkfkd.a
	@mkdir -p $(@D)
	$(CC) -shared -Wl,-z,defs $(LDFLAGS) -o $@ $^ $(call MPI_OF,link) -lpthread

# The CUDA backend, built by `make cuda` with the toolkit's compiler.
NVCC = $(CUDA)/bin/nvcc
CUDA_RPATH = -Wl,-rpath,$(CUDA)/lib64
CUDA_KNOWN = $(filter $(shell $(NVCC) --list-gpu-code | tr -d 'sm_'),$(CUDA_ARCHS))
CUDA_FLAGS = -O3 -ftz=true -Ilib -MMD -MP -Werror all-warnings \
	-Xcompiler -fPIC,-Wall,-Wextra,-fvisibility=hidden,-fno-exceptions,-fno-threadsafe-statics \
	$(foreach a,$(CUDA_KNOWN),-gencode arch=compute_$(a),code=sm_$(a)) \
	-gencode arch=compute_$(firstword $(CUDA_KNOWN)),code=compute_$(firstword $(CUDA_KNOWN))
CUDA_OBJECTS = $(patsubst cuda/%,$(BUILD)/cuda/%.o,$(basename $(wildcard cuda/*.c cuda/*.cu)))

$(BUILD)/cuda/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(NVCC) $(CUDA_FLAGS)' | cmp -s - $@ || echo '$(NVCC) $(CUDA_FLAGS)' > $@

$(BUILD)/cuda/%.o: private KF_CFLAGS += -fvisibility=hidden -isystem $(CUDA)/include
$(BUILD)/cuda/%.o: cuda/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(KF_CFLAGS) -c -o $@ $<

$(BUILD)/cuda/%.o: cuda/%.cu $(BUILD)/cuda/flags
	@mkdir -p $(@D)
	$(NVCC) $(CUDA_FLAGS) -c -o $@ $<

$(PLUGINS)/backend_cuda.so: $(CUDA_OBJECTS) $(BUILD)/lib/libkfkd.a
	@mkdir -p $(@D)
	$(CC) -shared -Wl,-z,defs $(LDFLAGS) -o $@ $^ -L$(CUDA)/lib64 $(CUDA_RPATH) \
		-lcublas -lcudart

# The engine that joins GPUs by NCCL.
NCCL_OBJECTS = $(patsubst lib/%.c,$(BUILD)/lib/%.o,$(wildcard lib/nccl/*.c))
$(NCCL_OBJECTS): private KF_CFLAGS += -fvisibility=hidden -isystem $(CUDA)/include \
	-isystem $(NCCL)/include

$(PLUGINS)/comm_nccl.so: $(NCCL_OBJECTS) $(BUILD)/lib/libkfkd.a
	@mkdir -p $(@D)
	$(CC) -shared -Wl,-z,defs $(LDFLAGS) -o $@ $^ -L$(NCCL)/lib -Wl,-rpath,$(NCCL)/lib -lnccl

$(BUILD)/tests/%: tests/%.c $(BUILD)/lib/libkfkd.a $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(KF_CFLAGS) $(LDFLAGS) -o $@ $< $(BUILD)/lib/libkfkd.a \
		-Wl,--as-needed $(LIBS)

# Preloaded into the programs.
$(BUILD)/tests/faults.so: tests/faults.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(KF_CFLAGS) -shared $(LDFLAGS) -o $@ $<

$(BUILD)/tests/sgemm_rate: private LIBS += -ldnnl

# Examples stand alone: they do not use this library.
$(BUILD)/examples/%: examples/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(KF_CFLAGS) $(LDFLAGS) -o $@ $< -ljansson -lxxhash

# What completes command lines asks the programs, and has only their names written in.
$(BUILD)/completion/%: completion/% $(PROGRAMS)
	@mkdir -p $(@D)
	sed 's/@PROGRAMS@/$(notdir $(PROGRAMS))/' $< >$@

.PRECIOUS: $(BUILD)/cmd/%.o
-include $(wildcard $(BUILD)/*/*.d $(BUILD)/lib/*/*.d)

# -- set-up ---------------------------------------------------------------------

# Debian's clang comes without OpenMP.
BUILD_PACKAGES = $(if $(findstring clang,$(CC)),clang libomp-dev,gcc) libc6-dev libcsv-dev libnetpbm-dev libdnnl-dev \
	libjansson-dev libxxhash-dev libjpeg62-turbo-dev libpng-dev libexif-dev libexpat1-dev
CHECK_PACKAGES = $(BUILD_PACKAGES) perl mandoc netpbm parallel python3-venv procps \
	strace zsh fish

# $(call install,PACKAGES): installs those that are missing, by apt.
define install
@missing=; for p in $(1); do \
	dpkg-query -W -f='$${Status}' $$p 2>/dev/null | \
		grep -q 'ok installed' || missing="$$missing $$p"; done; \
if [ -n "$$missing" ]; then echo "installing:$$missing"; \
	$(SUDO) apt-get update -q && $(SUDO) env DEBIAN_FRONTEND=noninteractive \
	apt-get install -q -y --no-install-recommends $$missing; fi
endef

deps:
	$(call install,$(BUILD_PACKAGES))

deps-mpi: deps
	$(call install,libopenmpi-dev openmpi-bin)

deps-check:
	$(call install,$(CHECK_PACKAGES))

# Python's own safetensors, as another reader.  Without a network its tests
# are skipped.
$(BUILD)/venv/done:
	@mkdir -p $(BUILD)
	-@$(PYTHON) -m venv $(BUILD)/venv && \
		$(BUILD)/venv/bin/pip install -q numpy safetensors && touch $@

# The software that the benchmark compares with, some gigabytes.  It leaves out packages
# that cannot be installed, and tries them again the next time.
PEERS = numpy safetensors pandas polars pyarrow scikit-learn onnx onnxruntime torch

$(BUILD)/venv-bench/done:
	@mkdir -p $(BUILD)
	-@$(PYTHON) -m venv $(@D) && missing= && for p in $(PEERS); do \
		$(@D)/bin/pip install -q $$p || missing="$$missing $$p"; done; \
		[ "$$missing" ] || touch $@

# -- running --------------------------------------------------------------------

demo: deps
	@$(MAKE) --no-print-directory all
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh demo

check: deps-check
	@$(MAKE) --no-print-directory $(BUILD)/venv/done
	@$(MAKE) --no-print-directory all $(TESTS) $(TOOLS)
	@$(MAKE) --no-print-directory test

# The tests alone, without set-up.  TESTS_FLAGS=-v shows each point.
test: all $(TESTS) $(TOOLS)
	PATH="$(CURDIR)/$(BIN):$$PATH" KFKD_BUILD="$(CURDIR)/$(BUILD)" \
		KFKD_BACKEND=cpu prove $(TESTS_FLAGS) $(TESTS) tests/*.t

# The CUDA backend on a GPU, and after `make nccl` two ranks on it; without one it says so and
# is skipped.
check-gpu: deps-check
	@$(MAKE) --no-print-directory cuda $(TESTS) $(TOOLS)
	@PATH="$(CURDIR)/$(BIN):$$PATH:$(CUDA)/bin" KFKD_BUILD="$(CURDIR)/$(BUILD)" \
		sh tests/gpu.sh

# Comparison with other software in the same run.  BENCH selects parts of "load train
# predict growth"; KFKD_FACES names a CSV of real faces.
bench: deps-check
	@$(MAKE) --no-print-directory $(BUILD)/venv-bench/done
	@$(MAKE) --no-print-directory all $(TOOLS)
	@PATH="$(abspath $(BIN)):$$PATH" KFKD_BUILD="$(abspath $(BUILD))" \
		sh tests/bench/run.sh $(BENCH)

# The complete suite under AddressSanitizer and UndefinedBehaviorSanitizer.
check-sanitize: deps-check
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize \
		CFLAGS="-O1 -g -fsanitize=address,undefined \
			-fno-sanitize-recover=all -fno-omit-frame-pointer" \
		LDFLAGS="-fsanitize=address,undefined" check

# Allocations and system calls that fail, one after another: all of them, which takes
# about half an hour, or one in FAULTS_STEP.
FAULTS_STEP = 1
check-faults: deps-check
	@$(MAKE) --no-print-directory all $(TOOLS)
	@PATH="$(CURDIR)/$(BIN):$$PATH" KFKD_BUILD="$(CURDIR)/$(BUILD)" \
		sh tests/faults.sh $(FAULTS_STEP)

# Each fuzz target until FUZZ_LIMIT, an option of libFuzzer's, from a corpus that our
# programs make.  With a FUZZ_SEED of 0 it takes another way each time; another seed and a
# number of runs for a limit (-runs=50000) take the same way again.
FUZZ_LIMIT = -max_total_time=60
FUZZ_SEED = 0
FUZZ = $(BUILD)/fuzz
FUZZ_TARGETS = $(patsubst tests/%.c,$(FUZZ)/tests/%,$(wildcard tests/fuzz_*.c))
# libFuzzer is not among what clang depends on, and its package has clang's version.
FUZZ_PACKAGES = clang netpbm \
	$(shell apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$$/libclang-rt-\1-dev/p')

fuzz: deps
	$(call install,$(FUZZ_PACKAGES))
	@$(MAKE) -s all $(BUILD)/tests/fuzz_checkpoint
	@$(MAKE) -s BUILD=$(FUZZ) CC=clang \
		CFLAGS="-O1 -g -DKF_LIBFUZZER -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION \
			-DKF_CHUNK_BYTES=200 -DKF_MAP_BYTES=32 -DKF_INPUT_PIECE=4096 -DKF_PHOTO_PIXELS_MAX=4096 \
			-fsanitize=fuzzer-no-link,address,undefined \
			-fno-sanitize-recover=all" \
		LDFLAGS="-fsanitize=fuzzer,address,undefined" $(FUZZ_TARGETS)
	@PATH="$(CURDIR)/$(BIN):$$PATH" KFKD_BUILD="$(CURDIR)/$(BUILD)" \
		sh tests/fuzz.sh $(FUZZ)/tests $(FUZZ_LIMIT) $(FUZZ_SEED)

# Builds with clang as well, with warnings as errors, and runs nothing.
check-clang:
	@$(MAKE) --no-print-directory CC=clang deps
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/clang CC=clang all

# -- formatting -----------------------------------------------------------------

# .clang-format is for the clang-format of Debian 12.  The filter in examples/ is
# excluded: it is part of kfkd-stream(5), with narrower lines.
FORMATTED = $(wildcard lib/*/*.[ch] cmd/*.[ch] cuda/*.[ch] cuda/*.cu tests/*.[ch])

format:
	$(call install,clang-format)
	clang-format -i $(FORMATTED)

check-format:
	$(call install,clang-format)
	clang-format --dry-run -Werror $(FORMATTED)

# -- installing -----------------------------------------------------------------

# All that is installed, as it lies under PREFIX.
STAGE = $(BUILD)/stage
DOC = $(STAGE)/share/doc/kfkd
BASH = $(STAGE)/share/bash-completion/completions
FISH = $(STAGE)/share/fish/vendor_completions.d
ZSH_PLACE = site-functions
ZSH = $(STAGE)/share/zsh/$(ZSH_PLACE)

stage: all
	@rm -rf $(STAGE)
	install -d $(STAGE)/bin $(STAGE)/lib/kfkd $(BASH) $(FISH) $(ZSH) $(DOC)
	install -m 755 $(PROGRAMS) $(STAGE)/bin
	install -m 644 $(PLUGINS)/*.so $(STAGE)/lib/kfkd
	for s in 1 5 7; do \
		install -d $(STAGE)/share/man/man$$s && \
		install -m 644 man/*.$$s $(STAGE)/share/man/man$$s || exit; done
	install -m 644 README.md NEWS LICENSE $(DOC)
	cd examples && find . -type f ! -path '*/__pycache__/*' \
		-exec install -D -m 644 {} $(abspath $(DOC))/examples/{} \;
	install -m 644 $(BUILD)/completion/kfkd.bash $(BASH)/kfkd
	install -m 644 $(BUILD)/completion/kfkd.fish $(FISH)
	install -m 644 $(BUILD)/completion/kfkd.zsh $(ZSH)/_kfkd
	for p in $(notdir $(PROGRAMS)); do \
		ln -s kfkd $(BASH)/$$p && ln -s kfkd.fish $(FISH)/$$p.fish || exit; done

install: stage
	sh packaging/install.sh install $(STAGE) $(DESTDIR)$(PREFIX)

uninstall:
	sh packaging/install.sh uninstall $(DESTDIR)$(PREFIX)

# Debian packages, in build/deb, built as Debian builds its own: of the programs, and of
# the plugins for which there is what they are built with.
DEB = $(BUILD)/deb
DEB_FLAGS = DEB_BUILD_MAINT_OPTIONS=hardening=+bindnow dpkg-buildflags --get
DEB_MAKE = $(MAKE) --no-print-directory BUILD=$(DEB) ZSH_PLACE=vendor-completions CUDA_RPATH= \
	CFLAGS="$$($(DEB_FLAGS) CFLAGS) $$($(DEB_FLAGS) CPPFLAGS)" \
	LDFLAGS="$$($(DEB_FLAGS) LDFLAGS)"

deb: deps
	$(call install,dpkg-dev)
	@$(DEB_MAKE) all
	@! [ -x $(NVCC) ] || $(DEB_MAKE) $(DEB)/lib/kfkd/backend_cuda.so
	@! command -v $(MPICC) >/dev/null || $(DEB_MAKE) $(DEB)/lib/kfkd/comm_mpi.so
	@$(DEB_MAKE) stage
	@sh packaging/deb.sh $(DEB)/stage $(DEB) $(CUDA)/lib64

# Looks for faults in them, installs them in a directory, tries them and removes them.
check-deb: deb deps-check
	$(call install,lintian man-db bash-completion)
	@$(SUDO) sh packaging/check-deb.sh $(DEB) $(CUDA)/lib64

clean:
	rm -rf $(BUILD) demo

FORCE:
.PHONY: all cuda mpi nccl deps deps-mpi deps-check demo check check-gpu test bench check-sanitize check-faults \
	fuzz check-clang format check-format stage install uninstall \
	deb check-deb clean FORCE
