"""A real terminal, by tmux: a shell in it, what is typed, and what stands on its screen."""
import os
import re
import subprocess

from harness import GMP, environment, expect, wait_until

PROMPT = re.compile(r"\[(\d+)\]\Z")  # the status of the last command


class Terminal:
    """The shell says by its prompt that a command has ended, and how: nobody sleeps."""
    count = 0

    def __init__(self, width=160, height=50):
        Terminal.count += 1
        self.server = f"gmp-{os.getpid()}-{Terminal.count}"
        env = environment(TERM="xterm", LC_ALL="C",
                          PATH=os.path.dirname(os.path.abspath(GMP)) + ":" + os.environ["PATH"])
        self.tmux("new-session", "-d", "-x", str(width), "-y", str(height), "sh", env=env)

    def __enter__(self):
        try:
            self.set_prompt()
        except BaseException:
            self.__exit__()
            raise
        return self

    def set_prompt(self):
        """Of a shell that begins.  Not by the environment: root's has its own."""
        self.keys("PS1='[$?]'", "Enter")
        self.end()

    def __exit__(self, *exc):
        self.tmux("kill-server", check=False)

    def tmux(self, *args, env=None, check=True):
        done = subprocess.run(["tmux", "-L", self.server, "-f", "/dev/null", *args],
                              env=env or environment(), capture_output=True, text=True,
                              errors="replace", check=False)
        expect(done, done.returncode == 0 or not check)
        return done.stdout

    def screen(self):
        """Its lines; one that is wider than the screen is one."""
        return self.tmux("capture-pane", "-p", "-J").rstrip()

    def keys(self, *names):
        self.tmux("send-keys", *names)

    def until(self, what, condition):
        """Until the screen is so.  Each look costs a process: not too many."""
        wait_until(what, lambda: condition(self.screen()), pause=0.05, explain=self.screen)

    def shows(self, pattern, times=None):
        """Somewhere, or in exactly so many places."""
        self.until(pattern, lambda text: len(re.findall(pattern, text, re.M)) == times
                   if times else re.search(pattern, text, re.M))

    def begin(self, command):
        """Types a command on an empty screen: not even the prompt is there until it has ended."""
        self.tmux("send-keys", "-R", ";", "clear-history")
        self.tmux("send-keys", "-l", command)
        self.keys("Enter")

    def end(self):
        """Until the prompt is back; what stood on the screen below the command, and the status."""
        self.until("a prompt", PROMPT.search)
        text = self.screen()
        return int(PROMPT.search(text)[1]), PROMPT.sub("", text).partition("\n")[2]

    def run(self, command):
        self.begin(command)
        return self.end()

    def refuses(self, command, words, code=125):
        """One clear line, and the status."""
        status, text = self.run(command)
        shown = f"{command}: exit {status}\n{text}"
        expect(f"{shown}\n-- wanted exit {code}", status == code)
        expect(f"{shown}\n-- wanted one line of gmp's", re.fullmatch(r"gmp: .*\n", text))
        expect(f"{shown}\n-- wanted {words!r}", words in text)

    def answers(self, command, pattern, code=0):
        status, text = self.run(command)
        expect(f"{command}: exit {status}\n{text}\n-- wanted {pattern!r}",
               status == code and re.search(pattern, text, re.M))
        return text
