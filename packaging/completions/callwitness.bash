# bash completion for callwitness
_callwitness() {
  local current previous command='' word i
  current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local commands='demo analyze watch compare report verify redact doctor apps schema key'
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    [[ " $commands " == *" $word "* ]] && { command=$word; break; }
  done
  case $previous in
    --format) mapfile -t COMPREPLY < <(compgen -W 'text json ndjson csv html' -- "$current"); return ;;
    --lang) mapfile -t COMPREPLY < <(compgen -W 'en fr ar' -- "$current"); return ;;
    -i) mapfile -t COMPREPLY < <(compgen -W "$(cd /sys/class/net 2>/dev/null && echo *)" -- "$current"); return ;;
    -a) mapfile -t COMPREPLY < <(compgen -W 'duration: filesize:' -- "$current"); compopt -o nospace; return ;;
  esac
  if [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$current")
    return
  fi
  if [[ $current == -* ]]; then
    local options='--help -q -v'
    case $command in
      analyze) options+=' --format -o --lang --tz --local -f -c --exit-verdict' ;;
      watch) options+=' -i -D -w -f -s -B -c -Z -a -b --format -o --lang --tz --local --exit-verdict' ;;
      compare) options+=' --baseline --suspect --format -o --lang --exit-verdict' ;;
      report) options+=' -o --lang --tz --pdf --local' ;;
      demo) options+=' -o --lang' ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    return
  fi
  compopt -o filenames
  mapfile -t COMPREPLY < <(compgen -f -- "$current")
}
complete -F _callwitness callwitness
