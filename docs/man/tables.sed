# SPDX-License-Identifier: GPL-2.0-only
# Tables as rst2man makes them: no box around each cell, a short cell as wide as it
# is, and no words spread out.
/^\.TS$/,/^\.TE$/ {
	/^_$/d
	s/^center;$/nospaces;/
	/^|.*|\.$/ {
		s/|l/ l2/g
		s/2|\./ ./
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
