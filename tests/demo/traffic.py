#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Traffic of the demo, from source ports that are known beforehand.

traffic.py serve ADDRESS                listen, and discard what comes
traffic.py burst ADDRESS PORT COUNT     COUNT frames of 100 bytes, UDP
traffic.py flow ADDRESS UDP_PORT TCP_PORT   until killed: UDP and TCP
"""
import socket
import sys
import threading
import time

SERVICE = 9000
DATAGRAM = bytes(100 - 8 - 20 - 14)     # less the headers: UDP, IPv4, Ethernet


def discard(sock):
    while sock.recv(65536):
        pass


def serve(address):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, SERVICE))
    threading.Thread(target=discard, args=(udp,), daemon=True).start()
    with socket.create_server((address, SERVICE)) as tcp:
        while True:
            discard(tcp.accept()[0])


def udp_from(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", port))
    return sock


def burst(address, port, count):
    sock = udp_from(int(port))
    for _ in range(int(count)):
        sock.sendto(DATAGRAM, (address, SERVICE))


def flow(address, udp_port, tcp_port):
    udp = udp_from(int(udp_port))
    tcp = socket.create_connection((address, SERVICE),
                                   source_address=("", int(tcp_port)))
    while True:
        udp.sendto(DATAGRAM, (address, SERVICE))
        tcp.sendall(b"hello\n")
        time.sleep(0.01)


if __name__ == "__main__":
    {"serve": serve, "burst": burst, "flow": flow}[sys.argv[1]](*sys.argv[2:])
