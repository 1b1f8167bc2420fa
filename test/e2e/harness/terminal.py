"""Runs a command in a terminal of its own and types an answer when it is asked: terminal.py <what it is asked> <answer> <command> [<argument> ...]."""
import os
import pty
import sys

question, answer, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
seen = b""
answered = False
while True:
    try:
        chunk = os.read(terminal, 65536)
    except OSError:  # Linux says so when the command has ended
        break
    if not chunk:
        break
    os.write(1, chunk)
    seen += chunk
    if not answered and question.encode() in seen:
        os.write(terminal, answer.encode() + b"\n")
        answered = True
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
