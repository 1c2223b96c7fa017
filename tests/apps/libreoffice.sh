# LibreOffice: a big program of many libraries and helper processes converts a spreadsheet.
limit=120

app()
{
	seq 1 4000 | sed 's/.*/&,&7,text &/' >sheet.csv
	HOME=$PWD under soffice -env:UserInstallation="file://$PWD/profile" --headless --convert-to html sheet.csv \
		>stdout || fail "soffice: $?"
	cksum <sheet.html
}
