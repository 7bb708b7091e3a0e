// SPDX-License-Identifier: MIT
// Loaded into the suite's server before it starts: it listens on this machine only.
const net = require('net')
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, port, '127.0.0.1', ...rest)
}
