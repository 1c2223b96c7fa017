# bash completion for gmp(1).  What there is to complete comes from the command itself.
_gmp()
{
	local cur=${COMP_WORDS[COMP_CWORD]} sub=${COMP_WORDS[1]} i
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" --help 2>/dev/null |
			sed -n 's/^  gmp \([a-z]*\) .*/\1/p') help --help --version" -- "$cur"))
		return
	fi
	if [ "$sub" = help ]; then
		COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" --help 2>/dev/null |
			sed -n 's/^  gmp \([a-z]*\) .*/\1/p')" -- "$cur"))
		return
	fi
	# Behind the first word that is no option the rest is the command's own business.
	for ((i = 2; i < COMP_CWORD; i++)); do
		case $sub:${COMP_WORDS[i]} in
		run:-- | doctor:--) i=$((i + 1)) && break ;;
		run:-p) i=$((i + 1)) ;;
		run:-*) ;;
		*) break ;;
		esac
	done
	if [ "$i" -lt "$COMP_CWORD" ] && [ "$sub" = run ]; then
		if declare -F _command_offset >/dev/null; then _command_offset "$i"; fi
	elif [ "${cur#-}" != "$cur" ]; then
		COMPREPLY=($(compgen -W "--help $("${COMP_WORDS[0]}" help "$sub" 2>/dev/null |
			sed -n 's/^  \(--\{0,1\}[a-z_]*\).*/\1/p')" -- "$cur"))
	elif [ "$sub" = set ] && [ "$COMP_CWORD" -gt 2 ]; then
		# Readline splits words at '=': preempt=s is the three words preempt, = and s.
		case ${COMP_WORDS[COMP_CWORD - 2]}${COMP_WORDS[COMP_CWORD - 1]}:$cur in
		preempt=:*) COMPREPLY=($(compgen -W "signal gate off" -- "$cur")) ;;
		*preempt:=) COMPREPLY=(signal gate off) ;;
		*)
			COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" help set 2>/dev/null |
				sed -n 's/^  \([a-z_]*=\).*/\1/p')" -- "$cur"))
			compopt -o nospace 2>/dev/null
			;;
		esac
	elif [ "$sub" = run ] || [ "$sub" = doctor ]; then
		COMPREPLY=($(compgen -c -- "$cur") $(compgen -f -- "$cur"))
	else
		COMPREPLY=($(compgen -W "$(ps -u "$(id -u)" -o pid= 2>/dev/null)" -- "$cur"))
	fi
}
complete -F _gmp gmp
