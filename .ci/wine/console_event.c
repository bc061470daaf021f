/* Presses Ctrl-C in the console of another process: console_event PID */
#include <windows.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    FreeConsole();
    if (argc != 2 || !AttachConsole(atoi(argv[1])))
        return 1;
    SetConsoleCtrlHandler(NULL, TRUE);
    return !GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0);
}
