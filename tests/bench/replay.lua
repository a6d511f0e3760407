-- wrk plays the requests of a file one after the other: `wrk … -s replay.lua <url> -- <file>`.
-- The file has whole HTTP requests, each preceded by its length in bytes on a line of its own.

local requests, count, next_one = {}, 0, 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local length = file:read("*line")
  while length do
    count = count + 1
    requests[count] = file:read(tonumber(length))
    length = file:read("*line")
  end
  file:close()
end

function request()
  next_one = next_one % count + 1
  return requests[next_one]
end
