"""Where Docker's containers find this machine."""

from __future__ import annotations

import ipaddress
import json
import socket
import subprocess


def bridge_address() -> str | None:
    """Give this machine's address on Docker's default bridge, which `--add-host NAME:host-gateway` stands for.

    None where it is not this machine's, as with Docker Desktop, whose containers reach 127.0.0.1 by themselves.
    Raises ValueError if Docker does not answer.
    """
    command = ["docker", "network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}"]
    try:
        inspection = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except FileNotFoundError as error:
        raise ValueError("there is no docker command on PATH") from error
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"Docker did not answer within {error.timeout:.0f} s") from error
    except subprocess.CalledProcessError as error:
        raise ValueError(f"Docker does not answer: {error.stderr.strip()}") from error
    network = json.loads(inspection.stdout)[0]
    # Docker names the gateway only where it was chosen; else it is the first address of the network.
    address = network.get("Gateway") or str(next(ipaddress.ip_network(network["Subnet"]).hosts()))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return None
    return address
