# SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2046,SC2086,SC2154,SC2207
# Completion for mount.bpffs and bpffs.

# The root of each mount of a type. As what follows, it ends words with NUL.
_bpffs_mounts() # TYPE
{
	local target

	# Blanks and the like are \x20; -r also escapes the backslash itself.
	findmnt -rn -o TARGET -t "$1" 2> /dev/null | while IFS= read -r target; do
		printf '%b\0' "$target"
	done
}

# What is pinned, and which objects there are, if one may ask: bpftool may not
# be there, and needs a privilege.
_bpffs_sources()
{
	local kinds='map: map:id: prog: prog:id: prog:tag: link:id:' kind field

	case $1 in
	map:id:*|prog:id:*|link:id:*)	kind=${1%%:*} field=id ;;
	prog:tag:*)			kind=prog field=tag ;;
	map:*|prog:*)			kind=${1%%:*} field=name ;;
	/*)
		_bpffs_mounts bpf | xargs -0r -I {} find {} -mindepth 1 -print0 2> /dev/null
		return ;;
	*)
		printf '%s\0' $kinds
		_bpffs_mounts bpf
		return ;;
	esac
	[ "$field" = name ] || kind=$kind:$field
	bpftool -j "${kind%%:*}" show 2> /dev/null |
		grep -oE "\"$field\":(\"[^\"]*\"|[0-9]+)" |
		sed -E "s/^\"$field\":\"?([^\"]*)\"?\$/$kind:\1/" | sort -u | tr '\n' '\0'
	case $kind in
	map)	printf '%s\0' map:id: ;;
	prog)	printf '%s\0' prog:id: prog:tag: ;;
	esac
}

# Those words of the input that begin with the current one, quoted. Not by
# compgen -W, which runs what is in them: names of pins can be anybody's.
_bpffs_reply()
{
	local word quoted

	while IFS= read -r -d '' word; do
		printf -v quoted %q "$word"
		[[ $word != "$cur"* && $quoted != "$cur"* ]] || COMPREPLY+=("$quoted")
	done
}

# For readline, a word begins behind the last : or =, so that is all it is given.
_bpffs_trim()
{
	local start=${cur%"${cur##*[:=]}"} i

	[[ $COMP_WORDBREAKS == *:* && $COMP_WORDBREAKS == *=* ]] || return 0
	for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=${COMPREPLY[i]#"$start"}
	done
}

# A pin or an object.
_bpffs_complete_source()
{
	_bpffs_reply < <(_bpffs_sources "$cur")
	case ${COMPREPLY[0]} in
	*:|/*)	compopt -o nospace ;;
	esac
	_bpffs_trim
}

# The last of a list of options.
_bpffs_complete_options()
{
	local before='' last=$cur
	local names='fd= key= value= inner_key= inner_value= as= percpu= uid= gid=
		mode= id= name= backend= ro rw pin snapshot pinonly noatime nofail remount
		X-mount.mkdir'

	if [[ $cur == *,* ]]; then
		before=${cur%,*},
		last=${cur##*,}
	fi
	case $last in
	key=*)	names='key=auto key=hex key=none' ;;
	value=*)	names='value=auto value=hex' ;;
	inner_key=*)	names='inner_key=auto inner_key=hex' ;;
	inner_value=*)	names='inner_value=auto inner_value=hex' ;;
	as=*)	names='as=key. as=value. as=inner_key. as=inner_value.' ;;
	backend=*)	names='backend=auto backend=kernel backend=fuse' ;;
	percpu=*)	names='percpu=each percpu=sum' ;;
	mode=*)	names='mode=0400 mode=0440 mode=0444 mode=0600 mode=0640' ;;
	uid=*)	names=$(getent passwd | awk -F: '{ print "uid=" $3 }') ;;
	gid=*)	names=$(getent group | awk -F: '{ print "gid=" $3 }') ;;
	esac
	COMPREPLY=($(compgen -P "$before" -W "$names" -- "$last"))
	compopt -o nospace
	_bpffs_trim
}

_mount_bpffs()
{
	local cur prev words cword word n=0 i

	_init_completion -n :,= || return
	if [ "$prev" = -o ] || [ "$prev" = --options ]; then
		_bpffs_complete_options
		return
	fi
	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W '-f -n -o -r -s -v -w -N -h -V --fake --no-mtab
			--options --read-only --read-write --sloppy --verbose
			--namespace --help --version' -- "$cur"))
		return
	fi
	# SOURCE comes first, DIRECTORY second.
	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		-o|-N|-t|--options|--namespace|--types)	i=$((i + 1)) ;;
		-*)	;;
		*)	n=$((n + 1)) ;;
		esac
	done
	case $n in
	0)	_bpffs_complete_source ;;
	1)	_filedir -d ;;
	esac
}

# The last one of a list.
_bpffs_complete_columns()
{
	local before='' last=$cur

	if [[ $cur == *[,=]* ]]; then
		last=${cur##*[,=]}
		before=${cur%"$last"}
	fi
	COMPREPLY=($(compgen -P "$before" -W 'kind id type name size used fill memory mounted
		pinned processes programs' -- "$last"))
	_bpffs_trim
}

# Of a command with options, and a mount.
_bpffs_complete_command() # OPTIONS
{
	case $cur in
	--output=*)
		cur=${cur#*=}
		_filedir ;;
	-*)
		COMPREPLY=($(compgen -W "$1" -- "$cur"))
		[[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace
		_bpffs_trim ;;
	*)	_bpffs_reply < <(_bpffs_mounts bpffs,fuse.bpffs) ;;
	esac
}

_bpffs()
{
	local cur prev words cword i

	_init_completion -n :,= || return
	if [ "$cword" -eq 1 ]; then
		COMPREPLY=($(compgen -W 'json export top watch plot save restore list all layout check open
			-h --help --version' -- "$cur"))
		return
	fi
	# What comes behind "open DIR --" is a command.
	for ((i = 2; i < cword; i++)); do
		if [ "${words[1]}" = open ] && [ "${words[i]}" = -- ]; then
			_command_offset $((i + 1))
			return
		fi
	done
	case ${words[1]} in
	export)
		[ "$prev" != -o ] || { _filedir; return; }
		_bpffs_complete_command '-o --field= --type= --nanoseconds= --label= --prefix=
			--prometheus --output=' ;;
	top)	_bpffs_complete_command '-b -c -d -f -i -n -r -R -s --batch --per-cpu --delay=
			--filter= --interval= --iterations= --resolve= --reverse --sort=' ;;
	watch)	_bpffs_complete_command '-d -i -j -n -r -t --delay= --interval= --json --count= --resolve=
			--take --value=' ;;
	plot)
		[ "$prev" != -o ] || { _filedir; return; }
		_bpffs_complete_command '-d -e -f -i -l -n -o -r -s --elements --rate --series
			--svg --log2 --count= --delay= --field= --interval= --output=' ;;
	save)
		_filedir
		_bpffs_reply < <(_bpffs_mounts bpffs,fuse.bpffs) ;;
	restore)
		if [[ $cur == -* ]]; then
			COMPREPLY=(--map=)
			compopt -o nospace
		else
			_filedir
			_bpffs_reply < <(_bpffs_mounts bpffs,fuse.bpffs)
		fi ;;
	list)
		if [ "$prev" = -o ] || [[ $cur == --output=* ]]; then
			_bpffs_complete_columns
		else
			COMPREPLY=($(compgen -W '-b -J -n -o -r --bytes --json --noheadings
				--output= --raw' -- "$cur"))
			[[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace
		fi ;;
	all)
		if [ "$prev" = -o ] || [[ $cur == --options=* ]]; then
			cur=${cur#--options=}
			_bpffs_complete_options
			return
		fi
		case $cur in
		-*)
			COMPREPLY=($(compgen -W '-o -u --options= --unmount' -- "$cur"))
			[[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace ;;
		pid:*)
			COMPREPLY=($(compgen -W "$(cd /proc && printf 'pid:%s ' [0-9]*)" -- "$cur"))
			_bpffs_trim ;;
		*)
			_bpffs_complete_source
			_filedir -d ;;
		esac ;;
	json)	_bpffs_complete_command '-r --resolve=' ;;
	check)	_bpffs_reply < <(_bpffs_mounts bpffs,fuse.bpffs) ;;
	open)	_bpffs_reply < <(printf '%s\0' -r --; _bpffs_mounts bpffs,fuse.bpffs) ;;
	layout)	_bpffs_complete_source ;;
	esac
	# Of each command.
	[[ $cur != -* ]] || COMPREPLY+=($(compgen -W '-h --help' -- "$cur"))
}

complete -F _mount_bpffs mount.bpffs
complete -F _bpffs bpffs
