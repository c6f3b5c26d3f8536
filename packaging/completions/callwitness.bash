# bash completion for callwitness; tests/commandline checks it against --help
_callwitness() {
  local current previous command='' word i
  current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local commands='demo analyze watch compare report verify redact doctor apps schema key'
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    [[ " $commands " == *" $word "* ]] && { command=$word; break; }
  done
  case $previous in
    --format)
      local formats='text json'
      [[ $command == analyze || $command == watch || $command == demo ]] && formats+=' ndjson csv markdown html'
      mapfile -t COMPREPLY < <(compgen -W "$formats" -- "$current")
      return ;;
    --lang) mapfile -t COMPREPLY < <(compgen -W 'en fr ar' -- "$current"); return ;;
    --tz)
      mapfile -t COMPREPLY < <(cd /usr/share/zoneinfo 2>/dev/null && compgen -f -- "$current")
      compopt -o filenames
      return ;;
    -i|--interface) mapfile -t COMPREPLY < <(compgen -W "$(cd /sys/class/net 2>/dev/null && echo *)" -- "$current"); return ;;
    -Z) mapfile -t COMPREPLY < <(compgen -u -- "$current"); return ;;
    -a|--autostop) mapfile -t COMPREPLY < <(compgen -W 'duration: filesize:' -- "$current"); compopt -o nospace; return ;;
    -b|--ring-buffer) mapfile -t COMPREPLY < <(compgen -W 'filesize: duration: files:' -- "$current"); compopt -o nospace; return ;;
  esac
  if [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$current")
    return
  fi
  if [[ $current == -* ]]; then
    local prose='--lang --tz -q --quiet' packets='-f --filter -c --local -n --exit-verdict' options='-h --help -o --output'
    case $command in
      analyze) options+=" --format -v --verbose $prose $packets -r" ;;
      watch) options+=" --format -v --verbose $prose $packets -i --interface -D --list-interfaces -w -s --snapshot-length"
             options+=' -B --buffer-size -Z -a --autostop -b --ring-buffer -r' ;;
      compare) options+=" --format $prose $packets --baseline --suspect" ;;
      report) options+=" $prose $packets --pdf --anonymise --anonymize --each --bundle --key" ;;
      verify) options+=' --key' ;;
      demo) options+=" --format -v --verbose $prose" ;;
      apps) options+=' --format' ;;
      key) options='-h --help' ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    return
  fi
  if [[ $command == key && $previous == key ]]; then
    mapfile -t COMPREPLY < <(compgen -W new -- "$current")
    return
  fi
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$current")
}
complete -F _callwitness callwitness
