# SPDX-License-Identifier: GPL-2.0-only
# Tables as rst2man makes them, since docutils 0.21 with fewer lines: no box around
# each cell, a short cell as wide as it is, and no words spread out.
/^\.TS$/,/^\.TE$/ {
	/^_$/d
	s/^\(box \)\{0,1\}center;$/nospaces;/
	/^|\{0,1\}l[|l]*\.$/ {
		s/^|//
		s/|\.$/./
		s/|/2 /g
	}
	s/^\.TS$/.na\n&/
	s/^\.TE$/&\n.ad/
	:cell
	/T{$/ {
		N
		N
		s/T{\n\([^\n]*\)\nT}\(\tT{\)\{0,1\}$/\1\2/
		t cell
	}
}
