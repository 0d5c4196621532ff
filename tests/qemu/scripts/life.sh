# A long script for a shell: pipelines, subshells, here-documents, functions, background jobs, traps,
# substitutions, arithmetic, and the usual tools. Prints the same on Linux and on Kin.
set -u
cd "$1" || exit 1
trap 'echo "the end, status $?"' EXIT

section() {
    echo
    echo "== $1"
}

section "functions and recursion"
factorial() {
    if [ "$1" -le 1 ]; then
        echo 1
    else
        echo $(($1 * $(factorial $(($1 - 1)))))
    fi
}
factorial 10
fibonacci() {
    local a=0 b=1 i=0 c
    while [ $i -lt "$1" ]; do
        c=$((a + b)); a=$b; b=$c; i=$((i + 1))
    done
    echo $a
}
fibonacci 40
return_value() { return 42; }
return_value
echo "returned $?"

section "arithmetic"
echo $((7 * 6)) $((2 ** 10)) $((17 % 5)) $((1 << 20)) $((0xff & 0x3c)) $((-7 / 2)) $((5 > 3 ? 1 : 2))
i=10
while [ $i -gt 0 ]; do
    i=$((i - 3))
    printf '%d ' $i
done
echo

section "parameter expansion"
path=/usr/local/share/file.tar.gz
echo "${path##*/} ${path%/*} ${path%%.*} ${path#/usr} ${#path}"
unset nothing
echo "${nothing:-default} ${nothing:=assigned} $nothing ${path:+set}"
echo "${path:5:5}"
set -- one "two words" three
echo $# "$2" "$*"
shift
echo $# "$1"
for word in "$@"; do echo "[$word]"; done

section "pipelines"
seq 1 1000 | awk '{ s += $1 } END { print s }'
seq 1 20 | sort -rn | head -n 5 | tr '\n' ' '
echo
yes line | head -n 10000 | wc -l
echo one two three | tr ' ' '\n' | sed 's/^/- /' | sort -r
printf 'b 2\na 1\nc 3\n' | sort | while read -r letter number; do
    echo "$number$letter"
done
false | true
echo "status of a pipeline: $?"
true | (exit 7)
echo "of its last part: $?"

section "here-documents"
name=Kin
cat <<END
Hello, $name: $((1 + 1)) and $(echo substituted)
	a tab before
END
cat <<'END'
Literally $name $(echo not)
END
cat <<-END
	tabs removed
END
tr a-z A-Z <<END
shouting
END

section "files"
mkdir -p tree/a/b tree/c
echo first > tree/a/1
echo second > tree/a/b/2
echo third > tree/c/3
ln -s ../a/1 tree/c/link
find tree -type f | sort
find tree -type f | sort | xargs cat
cat tree/c/link
find tree -name '[12]' | sort | xargs -n 1 basename
cp -r tree copy && rm -r tree && ls -R copy
mv copy/a/1 copy/moved && cat copy/moved
[ -d copy/a ] && [ ! -e copy/a/1 ] && [ -L copy/c/link ] && echo tests agree
echo more >> copy/moved
wc -c < copy/moved
chmod 640 copy/moved
stat -c '%a %s %F' copy/moved
for file in copy/*; do echo "$file"; done
tar cf archive.tar copy && rm -r copy && tar tf archive.tar | sort
tar xf archive.tar && cat copy/moved
dd if=/dev/zero bs=1024 count=100 2>/dev/null | md5sum
seq 1 50000 > numbers
sha256sum numbers
gzip -c numbers | gunzip -c | cmp - numbers && echo packed and unpacked
sort -n -r numbers | tail -n 1
split -l 20000 numbers part.
cat part.* | cmp - numbers && ls part.*
grep -c 7 numbers
sed -n '100,103p' numbers
awk 'NR % 10000 == 0 { printf "%s%s", sep, $1; sep = "," } END { print "" }' numbers
cut -c 1-2 numbers | sort | uniq -c | sort -rn | head -n 3 | awk '{ print $1, $2 }'
rm -r copy archive.tar numbers part.*

section "background jobs"
for n in 3 1 2; do
    (exit $n) &
    eval "job$n=$!"
done
wait $job1; echo "first: $?"
wait $job2; echo "second: $?"
wait $job3; echo "third: $?"
(sleep 0.05; echo late > flag) &
wait
cat flag
sleep 100 &
kill $!
wait $!
echo "killed: $?"
sh -c 'kill -9 $$'
echo "killed itself: $?"
rm flag

section "subshells"
variable=outer
(variable=inner; cd /; pwd; echo $variable)
echo $variable
{ variable=grouped; }
echo $variable
(exit 3) || echo "failed with $?"
(trap 'echo subshell ends' EXIT; echo in it)
echo "$(echo "$(echo "$(echo deep)")")"
echo `echo old style`

section "signals and traps"
trap 'echo got USR1' USR1
kill -USR1 $$
trap '' USR2
kill -USR2 $$ && echo USR2 is ignored
sh -c 'trap "echo child cleans up; exit 5" TERM; kill -TERM $$; sleep 1'
echo "child's status: $?"
trap - USR1 USR2

section "redirection"
ls /does/not/exist 2> errors || echo "ls failed"
[ -s errors ] && echo "with a message"
{ echo out; echo err >&2; } 2>&1 | sort
exec 3> third
echo to three >&3
exec 3>&-
cat third
exec 4< third
read -r line <&4
echo "read: $line"
exec 4<&-
: > empty
[ -s empty ] || echo empty
echo discarded > /dev/null
rm errors third empty

section "control"
case $path in
*.zip) echo zip ;;
*.tar.gz | *.tgz) echo tarball ;;
*) echo other ;;
esac
for i in 1 2 3 4 5; do
    [ $i = 2 ] && continue
    [ $i = 4 ] && break
    echo $i
done
until [ -e done ]; do touch done; done
rm done && echo loop ended
test 1 -eq 1 && test a != b && ! test -z x && echo conditions
expr 6 \* 7
eval 'echo evaluated $((3 * 3))'
seq 3 | xargs -I{} echo item {}
env -i A=1 sh -c 'echo $A ${B:-none}'
printf '%05d|%-5s|%x|%c\n' 42 ab 255 z
echo "a,b,c" | (IFS=, read -r x y z; echo "$z$y$x")
date -d @86400 -u +%Y-%m-%d
umask 077 && touch private && stat -c %a private && rm private
basename "$(pwd)" | wc -l
exit 17
