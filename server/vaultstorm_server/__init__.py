"""The server: AFD.SYS, HTTP.SYS, W3SVC and w3wp.exe on real sockets and real processes."""
