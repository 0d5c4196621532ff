/*
 * The product's door: a UEFI application. It reads \kin\kernel.elf, \kin\initrd.cpio, every other
 * \kin\*.cpio and \kin\cmdline from the volume that it was started from, asks the firmware for the
 * ACPI root pointer and the framebuffer, and leaves for the kernel.
 */
#include "boot/uefi.h"

#include <stdarg.h>

static bool host_present(void)
{
    UINT8 value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"((UINT16)HOST_PORT_LOG));
    return value == HOST_PORT_LOG; /* QEMU's debug console answers with its own number */
}

static void host_log(const CHAR16 *text)
{
    for (; *text; text++)
        if (*text != '\r')
            __asm__ volatile("outb %0, %1" ::"a"((UINT8)*text), "Nd"((UINT16)HOST_PORT_LOG));
}

void fail(const CHAR16 *format, ...)
{
    CHAR16 text[256];
    va_list arguments;

    va_start(arguments, format);
    VSPrint(text, sizeof(text), format, arguments);
    va_end(arguments);
    Print(L"\r\nkin: cannot boot: %s\r\n", text);
    if (host_present()) {
        host_log(L"kin: cannot boot: ");
        host_log(text);
        host_log(L"\n");
        __asm__ volatile("outb %0, %1" ::"a"((UINT8)HOST_EXIT_BOOT), "Nd"((UINT16)HOST_PORT_EXIT));
    }
    uefi_call_wrapper(BS->Stall, 1, 10 * 1000 * 1000); /* time to read it */
    uefi_call_wrapper(RT->ResetSystem, 4, EfiResetShutdown, EFI_LOAD_ERROR, 0, NULL);
    for (;;)
        __asm__ volatile("hlt");
}

void *allocate_pages(UINTN size, EFI_MEMORY_TYPE type, const CHAR16 *what)
{
    EFI_PHYSICAL_ADDRESS address = LOADER_LIMIT;
    UINTN pages = EFI_SIZE_TO_PAGES(size);
    EFI_STATUS status =
        uefi_call_wrapper(BS->AllocatePages, 4, AllocateMaxAddress, type, pages, &address);

    if (EFI_ERROR(status))
        fail(L"no memory for %s (%d pages): %r", what, pages, status);
    ZeroMem((void *)address, pages * EFI_PAGE_SIZE);
    return (void *)address;
}

static void find_root_pointer(struct boot_info *info)
{
    static EFI_GUID acpi_2 = ACPI_20_TABLE_GUID;
    void *table = NULL;

    if (EFI_ERROR(LibGetSystemConfigurationTable(&acpi_2, &table)))
        LibGetSystemConfigurationTable(&AcpiTableGuid, &table);
    info->rsdp = (UINT64)table;
}

static void find_framebuffer(struct boot_info *info)
{
    EFI_GRAPHICS_OUTPUT_PROTOCOL *graphics;
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode;
    struct boot_framebuffer *to = &info->framebuffer;

    if (EFI_ERROR(LibLocateProtocol(&gEfiGraphicsOutputProtocolGuid, (void **)&graphics)))
        return;
    mode = graphics->Mode->Info;
    if (mode->PixelFormat == PixelBlueGreenRedReserved8BitPerColor)
        to->format = BOOT_PIXEL_BGRX;
    else if (mode->PixelFormat == PixelRedGreenBlueReserved8BitPerColor)
        to->format = BOOT_PIXEL_RGBX;
    else
        return;
    to->physical = graphics->Mode->FrameBufferBase;
    to->size = graphics->Mode->FrameBufferSize;
    to->width = mode->HorizontalResolution;
    to->height = mode->VerticalResolution;
    to->stride = mode->PixelsPerScanLine;
}

/* One line of words: control characters become spaces, none at the end. */
static void read_command_line(EFI_FILE *directory, struct boot_info *info)
{
    struct file_data file = volume_read(directory, L"cmdline");
    const char *text = file.data;
    UINTN length = file.size;

    while (length > 0 && (UINT8)text[length - 1] <= ' ')
        length--;
    if (length >= sizeof(info->command_line))
        fail(L"\\kin\\cmdline is longer than %d bytes", sizeof(info->command_line) - 1);
    for (UINTN i = 0; i < length; i++)
        info->command_line[i] = (UINT8)text[i] < ' ' ? ' ' : text[i];
}

static void read_initrds(EFI_FILE *directory, struct boot_info *info)
{
    static CHAR16 names[BOOT_INITRD_MAX][64];

    info->initrd_count = volume_list_initrds(directory, names);
    for (unsigned i = 0; i < info->initrd_count; i++) {
        struct file_data file = volume_read(directory, names[i]);

        image_check_initrd(&file, names[i]);
        info->initrds[i] = (struct boot_range){(UINT64)file.data, file.size};
    }
}

EFI_STATUS efi_main(EFI_HANDLE loader, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE loader, EFI_SYSTEM_TABLE *system_table)
{
    UINT64 start_cycles = __builtin_ia32_rdtsc();
    struct boot_info *info;
    struct kernel_image image;
    struct file_data kernel;
    EFI_FILE *directory;

    InitializeLib(loader, system_table);
    uefi_call_wrapper(BS->SetWatchdogTimer, 4, 0, 0, 0, NULL);
    info = allocate_pages(sizeof(*info), EfiLoaderData, L"the boot information");
    info->magic = BOOT_INFO_MAGIC;
    info->start_cycles = start_cycles;
    CopyMem(info->door, (void *)"uefi", 5);

    directory = volume_open(loader);
    kernel = volume_read(directory, L"kernel.elf");
    image = image_load(&kernel);
    read_command_line(directory, info);
    read_initrds(directory, info);
    find_root_pointer(info);
    find_framebuffer(info);
    exit_to_kernel(loader, &image, info);
}
