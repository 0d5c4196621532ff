#!/bin/sh
# A script that leans on everything a shell asks of a kernel. Prints the same on every Linux.
set -u
export LC_ALL=C
dir=/tmp/script.$$
mkdir -p $dir/in $dir/out
cd $dir || exit 99
trap 'echo "leaving with $?"; cd /; rm -rf $dir' EXIT

section() {
    echo "== $*"
}

section pipelines
echo hello | cat | cat | cat
printf '%s\n' pear apple fig apple | sort | uniq -c | sort -rn | sed 's/^ *//'
seq 1 1000 | awk '{ s += $1 } END { print s }'
seq 1 20000 | tail -n 1
yes kin | head -n 3
seq 10 | sed -n '3,5p' | tr '\n' ','
echo
seq 100 | grep 7 | wc -l
false | true
echo "last of pipeline $?"
true | false
echo "last of pipeline $?"

section substitution
echo "a $(echo b $(echo c)) d"
x=$(printf 'one\ntwo\n\n\n')
echo "[$x]"
echo "$(seq 5 | wc -l) lines" | tr -s ' '
echo `expr 6 \* 7`
y=$(exit 9)
echo "status of a substitution $?"
long=$(seq 1 5000 | tr '\n' ' ')
echo ${#long}

section arithmetic
echo $((2 + 3 * 4)) $(((2 + 3) * 4)) $((7 / 2)) $((7 % 3)) $((-7 / 2)) $((1 << 20))
i=0
while [ $i -lt 5 ]; do
    i=$((i + 1))
    [ $i -eq 3 ] && continue
    printf '%d ' $i
done
echo

section here-documents
cat <<END
value of x: $x
sum: $((1 + 1))
END
cat <<'END'
no $expansion here
END
cat <<-END
	tabs are stripped
	END
sort <<END | head -n 2
zeta
alpha
mid
END
cat <<END >big
$(seq 1 30000)
END
wc -l <big | tr -d ' '

section functions
fact() {
    if [ "$1" -le 1 ]; then
        echo 1
    else
        echo $(($1 * $(fact $(($1 - 1)))))
    fi
}
fact 10
count() {
    local n=0
    for word in "$@"; do n=$((n + 1)); done
    return $n
}
count a 'b c' d
echo "returned $?"

section subshells
v=outer
(v=inner; cd /; echo "$v $PWD")
echo "$v $(basename "$PWD" | cut -d. -f1)"
(exit 5)
echo "status $?"
{ echo grouped; echo lines; } | tr a-z A-Z
( (echo deep; exit 3) ; echo "inner $?" )

section redirection
echo first >file
echo second >>file
cat <file
cat file nofile 2>err
echo "status $?; $(wc -l <err | tr -d ' ') line of complaint"
ls nofile >/dev/null 2>&1 || echo "or-else"
exec 3>three
echo "to three" >&3
exec 3>&-
cat three
exec 4<file
read line <&4
echo "read: $line"
read line <&4
echo "read: $line"
exec 4<&-
echo noise 2>&1 >/dev/null | wc -c | tr -d ' '
: >empty
[ -s empty ] || echo "empty is empty"

section jobs
sleep 0.1 &
wait $!
echo "waited $?"
(exit 7) &
p=$!
wait $p
echo "status of a job $?"
for n in 1 2 3 4 5; do
    (echo "job $n" >out/$n; exit $n) &
done
wait
cat out/1 out/2 out/3 out/4 out/5
sleep 100 &
p=$!
kill $p
wait $p
echo "killed $?"
(trap 'echo caught; exit 4' TERM; echo ready >ready; while :; do sleep 0.05; done) &
p=$!
while [ ! -s ready ]; do sleep 0.01; done
kill -TERM $p
wait $p
echo "handler's status $?"
kill -0 $p 2>/dev/null || echo "nobody left"

section signals
sh -c 'kill -SEGV $$'
echo "status $?"
sh -c 'kill -9 $$'
echo "status $?"
(trap '' INT; kill -INT $(sh -c 'echo $PPID'); echo "ignored")
sh -c 'trap "echo bye" EXIT; exit 6'
echo "status $?"
timeout 0.2 sleep 10
echo "timeout $?"

section files
mkdir -p tree/a/b tree/d
for f in tree/1 tree/a/2 tree/a/b/3 tree/d/4; do echo "content of $f" >$f; done
find tree -type f | sort
find tree -type d | wc -l | tr -d ' '
find tree -type f | sort | xargs cat
find tree -name '[13]' | sort | xargs -n 1 basename
find tree -type f | xargs grep -l 'a/' | sort
ln -s d/4 tree/link
cat tree/link
readlink tree/link
ln tree/1 tree/hard
echo changed >tree/1
cat tree/hard
mv tree/a/2 tree/two
ls tree
chmod 640 tree/1
stat -c '%a %s %h' tree/1
rm -r tree/a
[ -e tree/a ] || echo "a is gone"
cp -r tree copy
diff -r tree copy && echo "copies are equal"
tar cf all.tar tree
mkdir unpacked
tar xf all.tar -C unpacked
diff -r tree unpacked/tree && echo "what was packed is equal"
tar tf all.tar | sort | head -n 3
gzip -c big | gunzip -c | cmp - big && echo "compressed and back"
dd if=/dev/zero of=zeros bs=1024 count=300 2>/dev/null
wc -c <zeros | tr -d ' '
md5sum zeros | cut -d' ' -f1
head -c 1000 big | sha256sum | cut -d' ' -f1
truncate -s 10 big
wc -c <big | tr -d ' '

section text
printf 'b:2\na:1\nc:3\n' | awk -F: '{ sum += $2; print $1 "=" $2 } END { print "sum", sum }'
printf 'b:2\na:1\nc:3\n' | sort -t: -k2 -n | cut -d: -f1 | paste -s -d, -
echo "the quick brown fox" | sed -e 's/quick/slow/' -e 's/\(brown\) \(fox\)/\2 \1/'
echo "one two three" | tr ' ' '\n' | nl -ba | sed 's/\t/ /;s/^ *//'
awk 'BEGIN { while ((getline line < "file") > 0) n++; print n; "echo from a pipe" | getline x; print x }'
awk 'BEGIN { printf "z\na\nm\n" | "sort"; close("sort"); system("echo system; exit 3") }'
printf 'x y\nz w\n' | while read -r a b; do echo "$b-$a"; done
case abc in a*c) echo "pattern" ;; *) echo "none" ;; esac

section environment
export EXPORTED=yes
sh -c 'echo "$EXPORTED ${UNSET:-default} $#" sh' a
env -i A=1 /bin/busybox env | sort
set -- one 'two three' four
echo "$# $2"
shift
echo "$1"
IFS=:
set -- $(echo a:b:c)
echo "$# $3"
unset IFS
umask 027
: >masked
stat -c %a masked

section many processes
n=0
for i in $(seq 1 100); do
    /bin/busybox true && n=$((n + 1))
done
echo $n
seq 1 50 | xargs -n 1 -P 8 echo | sort -n | tail -n 1
a() { [ $1 -gt 0 ] && (a $(($1 - 1))) && echo -n . ; [ $1 -eq 0 ] || return 0; }
a 12
echo
mkfifo fifo
(seq 1 2000 >fifo) &
awk '{ s += $1 } END { print s }' <fifo
wait
exit 42
