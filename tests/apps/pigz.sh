# pigz with four compressing threads, its reader and its writer; gzip must understand the result.

app()
{
	corpus 12000000 data
	under pigz -p 4 -n -6 -b 128 -c data >data.gz || fail "pigz ended with status $?"
	under pigz -p 4 -n -9 -i -c <data >independent.gz || fail "pigz -i ended with status $?"
	under pigz -d -p 4 -c data.gz >back || fail "pigz -d ended with status $?"
	cmp data back >&2 || fail "the data came back changed"
	gzip -dc independent.gz | cmp - data >&2 || fail "gzip reads something else"
	cksum <data.gz
	cksum <independent.gz
}
