"""The few messages that are needed, by hand, so that nothing has to be generated: echo.v1.Line and grpc.health.v1."""

UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN = range(4)
STATUS_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def bytes_field(number, data):
    return bytes([number << 3 | 2]) + varint(len(data)) + data if data else b''


def text_field(number, text):
    return bytes_field(number, text.encode())


def number_field(number, value):
    return bytes([number << 3]) + varint(value) if value else b''


def parse(data):
    """Field number to value, as int or bytes; the last one wins."""
    return {number: values[-1] for number, values in parse_all(data).items()}


def parse_all(data):
    """Field number to its values in their order, as int or bytes."""
    fields = {}
    at = 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = read()
        if key & 7 == 0:
            value = read()
        elif key & 7 == 2:
            length = read()
            value = data[at : at + length]
            at += length
        else:
            raise ValueError(f'wire type {key & 7}')
        fields.setdefault(key >> 3, []).append(value)
    return fields


def line(text, server='', times=0):
    return text_field(1, text) + text_field(2, server) + number_field(3, times)


def parse_line(data):
    fields = parse(data)
    return {
        'text': fields.get(1, b'').decode(),
        'server': fields.get(2, b'').decode(),
        'times': fields.get(3, 0),
    }


def health_response(status):
    return number_field(1, status)


def parse_health_request(data):
    return parse(data).get(1, b'').decode()
