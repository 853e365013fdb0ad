# SPDX-License-Identifier: GPL-2.0-only
# Tables as rst2man makes them: no box around each cell, and no words spread out.
/^\.TS$/,/^\.TE$/ {
	/^_$/d
	s/^center;$/nospaces;/
	/^|.*|\.$/ s/|/ /g
	s/^\.TS$/.na\n&/
	s/^\.TE$/&\n.ad/
}
