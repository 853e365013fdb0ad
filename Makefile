# SPDX-License-Identifier: GPL-2.0-only
# bpffs: build it, test it, try it. "make help" lists the targets.

# For another machine, MACHINE=arm64 or s390x, all is cross-compiled, in a folder of its
# own.
MACHINE ?=
BUILD := $(CURDIR)/build$(MACHINE:%=/%)
export BUILD
# What is listed first, packages above all, is there before what follows.
.NOTPARALLEL:

KERNEL ?= 6.12
PREFIX ?= /usr
MODULE ?= bpffs
version := $(shell sed -nE 's/^VERSION := //p' mount_helper/Makefile)

# The kernels that "make check" runs all tests on: Debian's stable ones, and the newest
# of its backports, which on Debian 12 only root can build for.
newest := 7.3
tested := 6.1 6.12 $(if $(filter 0,$(shell id -u)),$(newest))
all := $(tested) 7.2 rt
machines := arm64 s390x
# And those that run some of them without the module.
without := 6.1 6.12

# The running kernel's headers, or else those of the newer tested kernel.
fetched := $(BUILD)/kernel/6.12/headers
KDIR ?= $(or $(wildcard /lib/modules/$(shell uname -r)/build),$(fetched))

vm := tests/vm
stage := $(BUILD)/vm/stage
libbpffs := $(BUILD)/lib/libbpffs.a
# What the folders below need to know.
target := $(patsubst arm64,aarch64,$(MACHINE))-linux-gnu
cross := $(if $(MACHINE),CC='$(target)-gcc --sysroot=$(BUILD)/root' AR=$(target)-ar \
	SYSROOT=$(BUILD)/root PKG_CONFIG='env PKG_CONFIG_SYSROOT_DIR=$(BUILD)/root \
	PKG_CONFIG_LIBDIR=$(BUILD)/root/usr/lib/$(target)/pkgconfig pkg-config')
linux := $(CURDIR)/build/linux
sub := BUILD=$(BUILD) LIBBPFFS=$(libbpffs) LINUX=$(linux) $(cross)

help:		## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' Makefile | \
		expand -t 16; \
	sed -nE 's/^#@ ?//p' Makefile

deps:		## install the Debian packages that all this needs (root)
	@$(vm)/deps
	@$(if $(MACHINE),$(vm)/deps $(vm)/machine-$(MACHINE).packages)
	@$(if $(MACHINE),$(vm)/machine $(MACHINE))

# ---------------------------------------------------------------- the module

# One source, several kernels and compilers: each has links to the source in
# a folder of its own, with the kernel's name, and kbuild runs there.
release = $(shell sed -nE 's/.*UTS_RELEASE "(.*)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h 2> /dev/null)
clang := $(filter clang%,$(notdir $(CC)))
work = $(BUILD)/module/$(release)$(if $(clang),-clang)$(if $(W),-W$(W))
# What this Debian cannot build, another one does.
enter = $(if $(wildcard $(dir $(abspath $(KDIR)))trixie),env BUILD=$(CURDIR)/build $(vm)/trixie )
# Where the kernel counts which lines run, they are counted.
counted = $(if $(filter %-coverage,$(release)),GCOV_PROFILE=y KCOV_INSTRUMENT=y)
kbuild = $(enter)$(MAKE) -C $(abspath $(KDIR)) M=$(work) CONFIG_BPFFS_FS=m $(counted) \
	KCFLAGS="-I$(CURDIR)/include $(KCFLAGS)" \
	$(if $(clang),CC=$(CURDIR)/$(vm)/clang CONFIG_CC_IS_CLANG=y CONFIG_CC_IS_GCC=) \
	modules

module: $(filter $(fetched),$(KDIR))	## build bpffs.ko [KDIR=DIR] [CC=clang] [W=1]
	@mkdir -p $(work)/core
	@find $(work) -xtype l -delete
	@ln -sf $(filter-out %/core,$(wildcard $(CURDIR)/fs/*)) $(work)
	@ln -sf $(CURDIR)/fs/core/* $(work)/core
	+@flock $(work) $(kbuild)

$(BUILD)/kernel/%/headers: deps
	@$(vm)/fetch-kernel $*

# What was fetched stays, also if only "make vm-7.2" asked for it.
.PRECIOUS: $(BUILD)/kernel/%/headers

# These are compiled, not fetched.
$(BUILD)/kernel/debug/headers: deps
	@tests/debug/build

$(BUILD)/kernel/coverage/headers $(BUILD)/kernel/kcsan/headers: $(BUILD)/kernel/%/headers: deps
	@tests/debug/build $*

abi-check: deps lib	## is what programs get of the library what it was?
	@tests/abi/check

sparse: kernels	## check the source with sparse
	@$(vm)/lint sparse-6.1 sparse-6.12

checkpatch: source	## check the style with the kernel's checkpatch.pl
	@$(vm)/lint checkpatch

lint: kernels source	## every compiler and checker: gcc, clang, sparse, ...
	@$(vm)/lint

kernels: $(tested:%=$(BUILD)/kernel/%/headers)

source: deps
	@BUILD=$(CURDIR)/build $(vm)/fetch-source

# ------------------------------------------------------------------ user space

lib:
	@$(MAKE) -s -C mount_helper BUILD=$(BUILD)/lib $(cross)

tests: source lib	## build the test programs
	@[ ! -e tests/Makefile ] || $(MAKE) -s -C tests $(sub)

host-check: source lib	## run the tests that need no kernel
	@[ ! -e tests/Makefile ] || $(MAKE) -s -C tests host-check $(sub)

# Everything of the project, as tests/native puts it where nobody else sees it.
native-stage: tests
	@mkdir -p $(BUILD)/lock
	+@flock $(BUILD)/lock/native $(MAKE) -s stage-files stage=$(BUILD)/native

# With the servers that tests talk to.
native-servers: native-stage
	@$(vm)/unpack
	@cp -a $(BUILD)/unpacked/usr/. $(BUILD)/native/usr/

fuse-check: native-servers	## run the tests on this machine, by FUSE, without the module [TESTS='element types']
	@tests/native $(BUILD)/native /usr/libexec/bpffs/run-tests $(TESTS) || [ $$? -eq 4 ]

fuse-check-san: native-servers	## the same, with bpffs-fuse under sanitizers: address, undefined; thread [TESTS='element types']
	@tests/sanitized $(BUILD)/native $(TESTS)

man: deps	## build the man pages, in build/man
	@$(MAKE) -s -C docs BUILD=$(BUILD)/man

# Root's part without DESTDIR: the caches of libraries and modules. The module is for who
# has made it; without it, mounts are by FUSE.
install: lib	## install library, tools, man pages, and the module if it was made [DESTDIR=] [PREFIX=/usr]
	@$(MAKE) -s -C mount_helper install BUILD=$(BUILD)/lib $(cross) \
		DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	@$(MAKE) -s -C docs install BUILD=$(BUILD)/man \
		DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	@install -D -m 644 -t $(DESTDIR)$(PREFIX)/include/linux \
		include/uapi/linux/bpffs.h
	$(if $(DESTDIR),,ldconfig)
ifneq ($(MODULE),none)
ifneq ($(wildcard $(work)/bpffs.ko),)
	install -D -m 644 -t $(DESTDIR)/lib/modules/$(release)/updates \
		$(work)/bpffs.ko
	$(if $(DESTDIR),,depmod $(release))
else
	@echo 'no module, as "make module" was not run: mounts are by FUSE'
endif
endif

uninstall:	## remove what "make install" with the same DESTDIR, PREFIX, KDIR has installed
	@$(MAKE) -s -C mount_helper uninstall DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	@$(MAKE) -s -C docs uninstall DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	rm -f $(DESTDIR)$(PREFIX)/include/linux/bpffs.h
	$(if $(DESTDIR),,ldconfig)
ifneq ($(MODULE),none)
ifneq ($(release),)
	rm -f $(DESTDIR)/lib/modules/$(release)/updates/bpffs.ko
	$(if $(DESTDIR),,depmod $(release))
endif
endif

dkms:		## put the module's source where DKMS finds it, /usr/src [DESTDIR=]
	@$(MAKE) -s -C mount_helper dkms DESTDIR=$(DESTDIR)
	$(if $(DESTDIR),,dkms add bpffs/$(version))

deb: deps	## build Debian packages, in build/deb
	@$(vm)/deps tests/deb/packages
	@tests/deb/build $(version)

deb-check: $(BUILD)/kernel/6.12/headers	## install such into a new Debian, try them there and in the virtual machine [RELEASE=bookworm|trixie]
	@$(vm)/deps $(vm)/debian.packages
	@tests/deb/check $(RELEASE)

bare-check:	## the first steps of a new user, on a bare Debian [RELEASE='bookworm trixie']
	@$(vm)/deps $(vm)/debian.packages
	@$(vm)/bare $(or $(RELEASE),bookworm trixie)

# Everything of the project as it is in the virtual machine.
stage: tests
	@mkdir -p $(BUILD)/lock
	+@flock $(BUILD)/lock/stage $(MAKE) -s stage-files stage-images

stage-images:
	@$(vm)/images base
	@$(vm)/images project $(stage)

stage-files:
	@rm -rf $(stage)
	@$(MAKE) -s install MODULE=none DESTDIR=$(stage) PREFIX=/usr
ifeq ($(MACHINE),)
	@$(MAKE) -s -C tests/demo $(sub) LIBBPFFS=$(BUILD)/lib/libbpffs.so
	@install -D -t $(stage)/usr/libexec/bpffs/demo \
		$(BUILD)/demo/demo-load tests/demo/demo.sh tests/demo/traffic.py
endif
	@install -D -t $(stage)/usr/libexec/bpffs $(vm)/run-tests
	@[ ! -e tests/Makefile ] || \
		$(MAKE) -s -C tests install DESTDIR=$(stage) $(sub)
	@$(MAKE) -s -C tests/debug install DESTDIR=$(stage) $(sub)

# ---------------------------------------------------------- the virtual machine

#@
#@ The virtual machine takes
#@   KERNEL=6.1|6.12|7.2|7.3|rt|debug|coverage|kcsan  CMD='...'  SHARE=DIR  MEM=MiB  TIMEOUT=SECONDS  KVM=1
#@   ICOUNT=1 (one CPU, whose clock counts instructions, 2 ns each: for make bench)
#@ and MODULE=none to boot without bpffs.ko; MACHINE=arm64|s390x KERNEL=6.12 for another
#@ than this machine's processor.
export MACHINE KERNEL MODULE SHARE MEM TIMEOUT KVM ICOUNT AGAIN

# make becomes the virtual machine and thus ends with its status; else that would
# be 2. What is exported is only for a recipe's commands, hence env.
vm: vm-$(KERNEL) $(BUILD)/exec.so	## boot Linux with bpffs: a shell, or CMD='...' and its exit status
	@$(if $(dry),,$(eval load $(BUILD)/exec.so)$(exec env,BUILD=$(BUILD),$\
		MACHINE=$(MACHINE),KERNEL=$(KERNEL),MODULE=$(MODULE),SHARE=$(SHARE),MEM=$(MEM),$\
		TIMEOUT=$(TIMEOUT),KVM=$(KVM),ICOUNT=$(ICOUNT),$(vm)/run,$(value CMD)))

# Functions are called in "make -n" too.
dry = $(findstring n,$(firstword -$(MAKEFLAGS)))

$(BUILD)/exec.so: $(vm)/exec.c | deps
	@mkdir -p $(BUILD)
	@$(CC) -Wall -Wextra -shared -fPIC -o $@ $<

vm-%: $(BUILD)/kernel/%/headers stage
	@$(if $(filter none,$(MODULE)),$(vm)/images modules $*, \
		$(MAKE) -s module KDIR=$(BUILD)/kernel/$*/headers && \
		$(vm)/images modules $* \
		$(BUILD)/module/$$(cat $(BUILD)/kernel/$*/release)/bpffs.ko)

# Without bpffs.ko, as MODULE=none asks for it.
none-%: $(BUILD)/kernel/%/headers stage
	@$(vm)/images modules $*

# HOST=1: not in a virtual machine but on this one, by FUSE, out of sight of the rest.
demo: $(if $(HOST),native-stage,vm-$(KERNEL))	## see what it does, on real traffic, in the virtual machine, or by FUSE on this one [HOST=1]
	@$(if $(HOST),tests/native $(BUILD)/native,$(vm)/run) /usr/libexec/bpffs/demo/demo.sh

# The table also as JSON, in build/bench. HOST=1: on this machine.
bench: $(if $(HOST),bench-host,vm-$(KERNEL))	## measure, against what does the same without bpffs [ELEMENTS=100000] [PARTS='mounts elements shapes', and tools, sizes, hold; or all] [PROFILE=1] [HOST=1 BACKEND=fuse]
	@BACKEND=$(BACKEND) HOST=$(HOST) PARTS='$(PARTS)' PROFILE=$(PROFILE) tests/bench/run $(ELEMENTS)

bench-host: deps lib
	@$(MAKE) -s -C tests $(sub) $(BUILD)/tests/bench $(BUILD)/tests/smallest

check: $(tested:%=vm-%) $(without:%=none-%) source	## all tests, on Linux 6.1, 6.12, 7.3 [AGAIN=1: also what has not changed]
	@KERNELS='$(tested)' WITHOUT='$(without)' SKIPPED='$(filter-out $(tested),$(newest))' $(vm)/check

check-all: $(all:%=vm-%) $(without:%=none-%) source	## the same, also on 7.2, PREEMPT_RT, and 6.12 of arm64 and s390x
	@for machine in $(machines); do $(MAKE) -s vm-6.12 MACHINE=$$machine || exit 1; done
	@KERNELS='$(all) $(machines:%=6.12-%)' WITHOUT='$(without)' $(vm)/check

in-tree: stage	## all tests on a kernel with fs/ in its tree, as fs/bpffs, built in
	@tests/in-tree/check

# HOST=1: on this machine, by FUSE. What is not soaking is less than five minutes.
soak_seconds = $(shell expr $(MINUTES) \* 60)
soak_limit = $(shell expr $(soak_seconds) + $(if $(filter debug,$(KERNEL)),1200,300))
soak_command = SOAK_SECONDS=$(soak_seconds) TIMEOUT=$(soak_limit) /usr/libexec/bpffs/run-tests soak
soak: MINUTES ?= 30
soak: $(if $(HOST),native-stage,vm-$(KERNEL))	## every type that lists, changed and looked at at full speed [MINUTES=30] [HOST=1]
	@$(if $(HOST),tests/native $(BUILD)/native env $(soak_command),\
		TIMEOUT=$$(($(soak_limit) + 100)) $(vm)/run 'exec env $(soak_command)')

# Without the module, where MODULE=none asks for it.
foreign: $(if $(HOST),native-stage,$(if $(filter none,$(MODULE)),none,vm)-$(KERNEL))	## what others test file systems with: stress-ng, fio, trinity [HOST=1] [MODULE=none]
	@tests/foreign/run $(if $(HOST),host)

faults: $(if $(HOST),native-stage,$(if $(filter none,$(MODULE)),none,vm)-$(KERNEL))	## the programs while malloc(3) and bpf(2) fail, at each chance, or each [STEP=7]th [HOST=1] [MODULE=none]
	@STEP=$(STEP) tests/faults/run $(if $(HOST),host)

# KERNEL=debug runs what has been found where it is not seen what is reached, but lockdep
# looks.
fuzz_kernel = $(if $(filter command environment,$(firstword $(origin KERNEL))),$(KERNEL),coverage)
fuzz-mounted: vm-$(fuzz_kernel)	## fuzz the mounted file system, where the kernel says what is reached [FUZZ_SECONDS=600] [SEQUENCE=HEX]
	@KERNEL=$(fuzz_kernel) tests/fuzz/run-mounted $(or $(FUZZ_SECONDS),600) $(SEQUENCE)

# Programs that count which lines of them run; what they count goes to /output, where
# tests/native has it. None of what is optimized away, nor out of order.
counts := -O0 --coverage -fprofile-update=atomic -fprofile-dir=/output
counting = BUILD=$(BUILD)/coverage/build CFLAGS='-g $(counts)' LDFLAGS=$(BUILD)/coverage/exit.o

coverage-native: source lib
	@# What was compiled of another source would count, too.
	@rm -rf $(BUILD)/coverage/build
	@mkdir -p $(BUILD)/coverage
	@$(CC) -O2 -Wall -Wextra -fPIC -c -o $(BUILD)/coverage/exit.o tests/coverage/exit.c
	@$(MAKE) -s native-servers $(counting)
	@$(MAKE) -s -C tests counted $(counting) LINUX=$(linux) CLANG=$(CC) \
		LIBBPFFS=$(BUILD)/coverage/build/lib/libbpffs.a \
		sanitize='$(counts)'
	@tests/coverage/run native $(TESTS)

coverage-kernel: vm-coverage
	@tests/coverage/run kernel $(TESTS)

coverage:	## which lines of fs/ and mount_helper/ run in the tests [TESTS='element types']
	@$(MAKE) -s coverage-native coverage-kernel
	@tests/coverage/run report

check-debug: vm-debug	## the module's tests on a kernel with KASAN, lockdep, kmemleak, ...
	@tests/debug/check

# ------------------------------------------------------------------------------

clean:		## remove what was built, keep what was fetched: kernels, a Debian
	rm -rf $(filter-out $(addprefix %/,kernel linux debian trixie trixie.done unpacked apt root root.done foreign $(machines)),$(wildcard $(addsuffix /*,$(BUILD) $(machines:%=$(BUILD)/%))))

distclean:	## remove all of build/
	rm -rf $(BUILD)

.PHONY: help deps module abi-check sparse checkpatch lint kernels source lib tests \
	host-check fuse-check fuse-check-san man install uninstall dkms deb deb-check bare-check \
	stage stage-files stage-images native-stage native-servers vm demo bench bench-host soak foreign faults check \
	check-all check-debug in-tree fuzz-mounted coverage coverage-native coverage-kernel clean distclean
