# bash completion for gmp(1).  What there is to complete comes from the command itself.

# Subcommands of the gmp that is $1.
_gmp_subcommands()
{
	"$1" --help 2>/dev/null | sed -n 's/^  gmp \([a-z]*\) .*/\1/p'
}

# What the option $3 of `gmp $2` takes, as its help has it: N, FILE, (us), (OFF, ON).  Nothing for a flag.
_gmp_value()
{
	local option=$3
	case $option in --?*) option=--$(printf %s "${option#--}" | tr - _) ;; esac
	"$1" help "$2" 2>/dev/null | sed -n -E "s/^  $option (\([^)]*\)|[A-Z]+)( .*)?\$/\1/p" 2>/dev/null |
		grep -vx '(flag)'
}

_gmp()
{
	local gmp=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} sub=${COMP_WORDS[1]} i=2 word value=
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W "$(_gmp_subcommands "$gmp") help --help --version" -- "$cur"))
		return
	fi
	if [ "$sub" = help ]; then
		COMPREPLY=($(compgen -W "$(_gmp_subcommands "$gmp")" -- "$cur"))
		return
	fi
	# Past all options and their values.  Readline splits words at '=': --preempt=g is three.
	while [ "$i" -lt "$COMP_CWORD" ]; do
		word=${COMP_WORDS[i]} value=
		case $word in
		--) i=$((i + 1)) && break ;;
		-*) ;;
		*) [ "$sub" = run ] || [ "$sub" = doctor ] && break ;;
		esac
		i=$((i + 1))
		[ "${word#-}" != "$word" ] || continue
		if [ "${COMP_WORDS[i]}" = = ]; then
			i=$((i + 2)) value=$(_gmp_value "$gmp" "$sub" "$word")
		else
			value=$(_gmp_value "$gmp" "$sub" "$word")
			[ -z "$value" ] || i=$((i + 1))
		fi
	done
	[ "$cur" != = ] || cur=
	if [ "$i" -gt "$COMP_CWORD" ]; then
		case $value in
		FILE | "(text)") COMPREPLY=($(compgen -f -- "$cur")) ;;
		*,*) COMPREPLY=($(compgen -W "$(printf %s "$value" | tr 'A-Z' 'a-z' | tr -d '(),')" -- "$cur")) ;;
		esac
	elif [ "$i" -lt "$COMP_CWORD" ] && [ "$sub" = run ]; then
		# Behind the first word that is no option all is the command's own business.
		if declare -F _command_offset >/dev/null; then _command_offset "$i"; fi
	elif [ "${cur#-}" != "$cur" ] && [ "${COMP_WORDS[COMP_CWORD - 1]}" != -- ]; then
		COMPREPLY=($(compgen -W "--help $("$gmp" help "$sub" 2>/dev/null |
			sed -n 's/^  \(--\{0,1\}[a-z_]*\).*/\1/p')" -- "$cur"))
	elif [ "$sub" = set ] && [ "$COMP_CWORD" -gt 2 ]; then
		case ${COMP_WORDS[COMP_CWORD - 2]}${COMP_WORDS[COMP_CWORD - 1]}:${COMP_WORDS[COMP_CWORD]} in
		preempt=:*) COMPREPLY=($(compgen -W "signal gate off" -- "$cur")) ;;
		*preempt:=) COMPREPLY=(signal gate off) ;;
		*=:* | *:=) ;;
		*)
			COMPREPLY=($(compgen -W "$("$gmp" help set 2>/dev/null |
				sed -n 's/^  \([a-z_]*=\).*/\1/p')" -- "$cur"))
			compopt -o nospace 2>/dev/null
			;;
		esac
	elif [ "$sub" = run ] || [ "$sub" = doctor ]; then
		COMPREPLY=($(compgen -c -- "$cur") $(compgen -f -- "$cur"))
	else
		COMPREPLY=($(compgen -W "$(ps -u "$(id -u)" -o pid= 2>/dev/null)" -- "$cur"))
		[ "$sub" != trace ] || COMPREPLY+=($(compgen -f -- "$cur"))
	fi
}
complete -F _gmp gmp
