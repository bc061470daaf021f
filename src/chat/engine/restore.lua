-- Brings back records that the engine has lost, each to its place. Whoever is first brings it, the others'
-- copies fit nowhere any more. ARGV: server, kept, then (server, n, g, count of lines, lines)...
for i = 3, #ARGV, 5 do
    local from, n, g, count, lines = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
    local last = redis.call('HGET', state, from)
    -- One that has lost everything begins with the first that comes.
    if redis.call('HSETNX', state, '#', g) == 1 or tonumber(g) == number('#') then
        if n == 0 or not last or n == tonumber(last) + 1 then
            append(from, n, ARGV[2], count, lines)
            if n > 0 then redis.call('HSET', state, from, n) end
        end
    end
end
-- When every server has done so, the room goes on.
local run = redis.call('HGET', state, 'run')
redis.call('HSET', state, server .. '/r', run or '')
local servers = redis.call('ZRANGE', alive, 0, -1)
for _, of in ipairs(servers) do
    if redis.call('HGET', state, of .. '/r') ~= run then return 0 end
end
if #servers > 0 then redis.call('HDEL', state, 'until') end
return 1
