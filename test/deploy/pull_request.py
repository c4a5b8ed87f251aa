#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""pull_request.py BUILD quick|full: the workflow's steps, in order, in a scratch clone of a tiny project.

BUILD is a release build of Spillway. `apt-get` and `gh` note what they are asked for. With `quick` the cache has
Spillway, installed from BUILD; with `full` it is empty, and the step that fills it takes minutes.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import root  # noqa: E402

try:
    import yaml
except ImportError:
    print("skipped: Debian's python3-yaml is not installed")
    sys.exit(root.SKIPPED)

WORKFLOW = root.DEPLOY / "pull-request.yml"
KNOWN_ACTIONS = {"actions/checkout", "actions/cache", "actions/upload-artifact"}
APP = """
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) {
  for (int i = 0; i < 300; i++) {
    char* block = malloc(100000);
    memset(block, i, 100000);
    free(block);
  }
  return write(1, "done\\n", 5) != 5;
}
"""


class Runner:
    """What a runner does with a job: conditions, expressions and a shell for each step."""

    def __init__(self, folder, cached, from_fork=False):
        self.folder, self.workspace = folder, folder / "workspace"
        repository = "owner/app"
        self.context = {
            "steps.cache.outputs.cache-hit": "true" if cached else "",
            "github.repository": repository,
            "github.event.pull_request.head.repo.full_name": "else/app" if from_fork else repository,
            "github.event.number": "7",
            "github.token": "the-job's-token",
        }
        self.failed = False
        self.ran, self.output = [], ""
        self.summary = folder / "summary.md"
        for name in ("notes", "programs", "temporary"):
            (folder / name).mkdir()
        programs, notes = folder / "programs", folder / "notes"
        root.write_program(programs / "apt-get", root.apt_get(notes / "apt-get"))
        root.write_program(programs / "gh", root.noting("gh", notes / "gh"))

    def value(self, expression):
        expression = expression.strip()
        left, equals, right = re.fullmatch(r"(\S+)(?: (==|!=) (\S+))?", expression).groups()
        if equals:
            return (self.value(left) == self.value(right)) == (equals == "==")
        return left[1:-1] if left[0] == "'" else self.context[left]

    def expanded(self, text):
        return re.sub(r"\$\{\{(.*?)\}\}", lambda match: self.value(match[1]), text)

    def due(self, step):
        condition = re.sub(r"^\$\{\{(.*)\}\}$", r"\1", step.get("if", "")).strip()
        if condition == "!cancelled()":
            return True
        return not self.failed and (not condition or self.value(condition))

    def run(self, job, variables):
        for step in job["steps"]:
            if "run" not in step:
                assert step["uses"].partition("@")[0] in KNOWN_ACTIONS, step
                continue
            if self.due(step):
                self.ran.append(step["name"])
                self.shell(step, variables)

    def shell(self, step, variables):
        own = {name: self.expanded(value) for name, value in step.get("env", {}).items()}
        places = {"PATH": f"{self.folder}/programs:{os.environ['PATH']}", "GITHUB_STEP_SUMMARY": self.summary,
                  "RUNNER_TEMP": self.folder / "temporary"}
        done = subprocess.run(
            ["bash", "-e", "-c", self.expanded(step["run"])], env={**os.environ, **variables, **own, **places},
            cwd=self.workspace, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=root.HUNG)
        self.failed = self.failed or done.returncode != 0
        self.output += done.stdout

    def notes(self, name):
        file = self.folder / "notes" / name
        return file.read_text(encoding="utf-8") if file.exists() else ""


def git(*words, folder):
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, "-C", folder, *words], check=True, stdout=subprocess.DEVNULL, timeout=root.HUNG)


class Workflow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
        (cls.job,) = cls.workflow["jobs"].values()
        cls.build = pathlib.Path(sys.argv[1]).resolve()
        holder = tempfile.TemporaryDirectory(prefix="spillway_workflow_")
        cls.addClassCleanup(holder.cleanup)
        cls.folder = pathlib.Path(holder.name).resolve()
        if sys.argv[2] == "quick":
            subprocess.run(["cmake", "--install", cls.build, "--prefix", cls.folder / "installed"], check=True,
                           stdout=subprocess.DEVNULL, timeout=root.HUNG)
        project = cls.folder / "project"
        project.mkdir()
        (project / "app.c").write_text(APP, encoding="utf-8")
        (project / "Makefile").write_text("app: app.c\n\tcc -o app app.c\n", encoding="utf-8")
        git("init", "-q", folder=project)
        git("add", "-A", folder=project)
        git("commit", "-q", "-m", "First", folder=project)

    def runner(self, name, **options):
        folder = self.folder / name
        folder.mkdir()
        runner = Runner(folder, cached=sys.argv[2] == "quick", **options)
        git("clone", "-q", str(self.folder / "project"), str(runner.workspace), folder=folder)
        if sys.argv[2] == "quick":
            (runner.workspace / ".spillway").symlink_to(self.folder / "installed")
        return runner

    def variables(self):
        if sys.argv[2] == "quick":
            return self.workflow["env"]
        source = self.folder / "source"
        if not source.exists():
            git("clone", "-q", str(root.CHECKOUT), str(source), folder=self.folder)
            git("tag", self.workflow["env"]["REVISION"], folder=source)
        return {**self.workflow["env"], "SPILLWAY": f"file://{source}"}

    def test_the_table_is_in_summary_and_comment(self):
        runner = self.runner("own")
        runner.run(self.job, self.variables())
        self.assertFalse(runner.failed, runner.output)
        built = ["Spillway"] if sys.argv[2] == "full" else []
        self.assertEqual(runner.ran, ["Tools", *built, "Your program", "Compare", "Summary", "Comment"])
        text = runner.summary.read_text(encoding="utf-8")
        self.assertIn("### app\n", text)
        self.assertRegex(text, r"(?m)^\| glibc \| [\d.]+ \|  \| ")
        self.assertRegex(text, r"(?m)^\| spillway \| [\d.]+ \| \S+ \[")
        self.assertEqual(runner.notes("gh"), "pr comment 7 --body-file report/report.md\n")
        self.assertEqual((runner.workspace / "report/report.md").read_text(encoding="utf-8"), text)
        self.assertTrue((runner.workspace / "report/report.html").exists())
        self.assertRegex(runner.notes("apt-get"), "^-qq update\n-qq -y install ")

    def test_a_failure_fails_the_job_and_is_in_the_summary(self):
        if sys.argv[2] == "full":
            self.skipTest("the steps before are the same")
        runner = self.runner("failing", from_fork=True)
        (runner.workspace / "app.c").write_text("int main(void) { __builtin_trap(); }\n", encoding="utf-8")
        runner.run(self.job, self.variables())
        self.assertTrue(runner.failed)
        self.assertEqual(runner.ran[-1], "Summary")
        self.assertIn("**FAILED**", runner.summary.read_text(encoding="utf-8"))

    def test_a_fork_gets_no_comment(self):
        (comment,) = (step for step in self.job["steps"] if step.get("name") == "Comment")
        self.assertFalse(self.runner("fork", from_fork=True).due(comment))
        self.assertTrue(self.runner("branch").due(comment))

    def test_what_it_may(self):
        self.assertEqual(self.workflow["permissions"], {"contents": "read", "pull-requests": "write"})
        self.assertNotIn("secrets", WORKFLOW.read_text(encoding="utf-8"))


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[2] not in ("quick", "full"):
        sys.exit(__doc__)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
