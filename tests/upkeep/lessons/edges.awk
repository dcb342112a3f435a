# How clients go from state to state, one way a line, as "READING --> ANSWERING: send shutdown", with what
# is armed on it:  awk -f edges.awk FILE
# FILE is the page of day 4, with its diagram, or a trace of its server. (A receive that was cancelled is
# armed again: that is no way.)
$2 == "-->" {
    gsub(/\[\*\]/, "FREE")
    armed = match($0, /arm .*/) ? substr($0, RSTART + 4) : ""
    gsub(/ and /, " ", armed)
    sub(/:.*/, "")
    if ($1 != "FREE" || $3 != "FREE") print $1 " --> " $3 ": " armed
}
/^(cqe|----) / {
    if (armed != "") print state[client] " --> " (to == "" ? state[client] : to) ":" armed
    if (to != "") state[client] = to
    to = armed = ""
    cancelled = / res -(125|4) /
}
/^client\// { client = substr($1, 8); to = $2; if (!(client in state)) state[client] = "FREE" }
/^sqe (RECV|SEND|SHUTDOWN|CLOSE)\// && !cancelled { split($2, op, "/"); client = op[2]; armed = armed " " tolower(op[1]) }
