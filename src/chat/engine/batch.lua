-- What one server has to say, once and in order: all of it or nothing.
-- ARGV: server, n, kept, count of lines, lines, then (id, user)... A user without text leaves.
local n, last = tonumber(ARGV[2]), number(server)
local why = closed()
if why then return {why, last} end
if n <= last then return {'again', last} end
if n > last + 1 or not redis.call('ZSCORE', alive, server) then return {'gap', last} end
for i = 6, #ARGV, 2 do
    if ARGV[i + 1] ~= '' then enter(ARGV[i], ARGV[i + 1]) else leave(server, ARGV[i]) end
end
redis.call('HSET', state, server, n)
append(server, n, ARGV[3], ARGV[4], ARGV[5])
return {'new', n}
