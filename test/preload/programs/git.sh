# git: a repository with text and binary files, commits, branches, a merge, packing with two threads, a clone, a check.
command -v git >/dev/null || { echo "git is not installed"; exit 77; }
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
git init -q -b main work && cd work || exit 1
for i in $(seq 1 60); do
  seq "$i" $((i * 300)) >"file$i"
  [ $((i % 10)) = 0 ] && { head -c $((i * 9000)) /dev/zero | tr '\0' "\\$(printf %o $((64 + i % 26)))" >"binary$i"; }
  git add -A && git commit -q -m "commit $i"
done
git checkout -q -b side HEAD~20
seq 1 5000 | tac >side && git add side && git commit -q -m side
git checkout -q main && git merge -q --no-edit side
git log --format='%h %s' --stat | cksum
git diff HEAD~30 HEAD | cksum
git -c pack.threads=2 repack -q -a -d -f --depth=20 --window=20
git fsck --full --strict 2>&1
git rev-parse HEAD
git clone -q . ../copy && git -C ../copy rev-list --objects --all | sort | cksum
git blame -s file50 | cksum
git archive HEAD | md5sum
git rev-parse -q --verify nothing; echo "status $?"
